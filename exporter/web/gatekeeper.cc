#include "exporter/web/gatekeeper.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "exporter/web/credentials.h"

namespace spire_exporter {
namespace {

using Verdict = HttpGate::Verdict;

// Nothing of the request is in it.
Verdict Refuse(int status, const char* says) {
  Verdict verdict{Verdict::Kind::kRefuse, HttpResponse::Text(status, says)};
  verdict.response.headers.emplace_back("Cache-Control", "no-store");
  return verdict;
}

Verdict AskForCredentials(const WebConfig& config) {
  Verdict verdict = Refuse(401, "401 Unauthorized\n");
  if (!config.users.empty()) {
    verdict.response.headers.emplace_back("WWW-Authenticate",
                                          "Basic realm=\"spire-exporter\", charset=\"UTF-8\"");
  }
  if (!config.bearer_token_file.empty()) {
    verdict.response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"spire-exporter\"");
  }
  return verdict;
}

Verdict Later(int status, const char* says) {
  Verdict verdict = Refuse(status, says);
  verdict.response.headers.emplace_back("Retry-After", "1");
  return verdict;
}

bool HasName(const PeerCertificate& certificate, const std::vector<std::string>& allowed) {
  for (const std::vector<std::string>* const names :
       {&certificate.dns_names, &certificate.email_addresses, &certificate.ip_addresses,
        &certificate.uris}) {
    for (const std::string& name : *names) {
      if (std::find(allowed.begin(), allowed.end(), name) != allowed.end()) return true;
    }
  }
  return false;
}

bool CertificatePasses(const WebConfig& config, const PeerCertificate* certificate) {
  if (!config.asks_for_certificate()) return true;
  if (certificate == nullptr || !certificate->verified) return false;
  if (!config.client_allowed_sans.empty() && !HasName(*certificate, config.client_allowed_sans)) {
    return false;
  }
  if (config.spiffe_rules.empty()) return true;
  // Rules are for what trust domains say: of others the operator has to name whom to let in.
  if (certificate->by_fallback) return !config.client_allowed_sans.empty();
  const std::string_view id = SpiffeIdOf(*certificate);
  return !id.empty() && std::any_of(config.spiffe_rules.begin(), config.spiffe_rules.end(),
                                    [&](const SpiffeRule& rule) { return rule.Matches(id); });
}

}  // namespace

Gatekeeper::Gatekeeper(const Clock& clock)
    : clock_(clock), rules_(std::make_shared<const Rules>()), filled_(clock.Steady()) {}

void Gatekeeper::Apply(WebConfig config, std::string token) {
  passwords_.SetUsers(config.users);
  auto next = std::make_shared<Rules>();
  next->config = std::move(config);
  next->token = std::move(token);
  const MutexLock lock(mutex_);
  if (next->config.rate_limit && !rules_->config.rate_limit) {
    tokens_ = static_cast<double>(next->config.rate_limit->burst);
    filled_ = clock_.Steady();
  }
  rules_ = std::move(next);
}

std::shared_ptr<const Gatekeeper::Rules> Gatekeeper::rules() const {
  const MutexLock lock(mutex_);
  return rules_;
}

HttpFields Gatekeeper::Headers() const {
  return rules()->config.headers;
}

bool Gatekeeper::TakeToken(const RateLimit& limit) {
  const MutexLock lock(mutex_);
  const SteadyTime now = clock_.Steady();
  const double gained =
      std::chrono::duration<double>(now - filled_).count() / Seconds(limit.interval);
  tokens_ = std::min(static_cast<double>(limit.burst), tokens_ + std::max(0.0, gained));
  filled_ = now;
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

Verdict Gatekeeper::JudgePassword(const Rules& rules, const Visitor& visitor) {
  const WebConfig& config = rules.config;
  if (!config.asks_for_password()) return {};
  if (visitor.repeated_authorization) return AskForCredentials(config);
  const Credentials said = ParseAuthorization(visitor.authorization);
  if (said.kind == Credentials::Kind::kBearer && !rules.token.empty() &&
      EqualInConstantTime(said.token, rules.token)) {
    return {};
  }
  if (said.kind != Credentials::Kind::kBasic || config.users.empty()) {
    return AskForCredentials(config);
  }
  switch (passwords_.Check(visitor.peer, said.user, said.password, visitor.connection)) {
    case PasswordChecker::Answer::kRight:
      return {};
    case PasswordChecker::Answer::kLater:
      return {Verdict::Kind::kLater, {}};
    case PasswordChecker::Answer::kBusy:
      return Later(503, "503 too many passwords to check\n");
    case PasswordChecker::Answer::kWrong:
      break;
  }
  return AskForCredentials(config);
}

Verdict Gatekeeper::Judge(const Visitor& visitor) {
  const std::shared_ptr<const Rules> now = rules();
  if (now->config.rate_limit && visitor.first_time && !TakeToken(*now->config.rate_limit)) {
    return Later(429, "429 Too Many Requests\n");
  }
  if (!CertificatePasses(now->config, visitor.certificate)) {
    return Refuse(403, "403 the client's certificate is not among those that may come in\n");
  }
  return JudgePassword(*now, visitor);
}

}  // namespace spire_exporter
