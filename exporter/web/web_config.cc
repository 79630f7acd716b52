#include "exporter/web/web_config.h"

#include <array>
#include <string_view>
#include <utility>

#include "exporter/base/text.h"
#include "exporter/tls/tls_server.h"
#include "exporter/web/credentials.h"

namespace spire_exporter {
namespace {

// In the order of ClientAuth and TlsVersion.
constexpr std::array<std::string_view, 5> kClientAuths = {
    "NoClientCert", "RequestClientCert", "RequireAnyClientCert", "VerifyClientCertIfGiven",
    "RequireAndVerifyClientCert"};
constexpr std::array<std::string_view, 2> kVersions = {"TLS12", "TLS13"};
constexpr std::array<std::string_view, 2> kFrameOptions = {"deny", "sameorigin"};

std::string InFolder(const std::string& folder, const std::string& path) {
  return path.empty() || path.front() == '/' || folder.empty() ? path : folder + "/" + path;
}

// One of both keys; the reader keeps views of them.
void ReadPem(ConfigReader& reader, std::string_view file_key, std::string_view inline_key,
             const std::string& folder, PemSource* source) {
  reader.Read(file_key, &source->file);
  reader.Read(inline_key, &source->inline_text);
  if (!source->file.empty() && !source->inline_text.empty()) {
    reader.Fail(inline_key, "expected this or " + std::string(file_key) + ", not both");
  }
  source->file = InFolder(folder, source->file);
}

void ReadVersion(ConfigReader& reader, std::string_view key, TlsVersion* version) {
  auto index = static_cast<size_t>(*version);
  reader.ReadChoice(key, kVersions, &index);
  *version = static_cast<TlsVersion>(index);
}

Status ReadRules(const std::vector<std::string>& texts, const ConfigNode& node,
                 Result<SpiffeRule> (*parse)(std::string_view), std::vector<SpiffeRule>* rules) {
  for (const std::string& text : texts) {
    Result<SpiffeRule> rule = parse(text);
    if (!rule.ok()) return node.Fail(rule.error().what);
    rules->push_back(std::move(*rule));
  }
  return {};
}

Status ReadFallback(const ConfigNode& node, const std::string& folder, SpiffeSettings* spiffe) {
  if (!node.present()) return {};
  ConfigReader reader(node);
  reader.Read("cert_file", &spiffe->fallback_certificate.file);
  reader.Read("key_file", &spiffe->fallback_key.file);
  reader.Read("client_ca_file", &spiffe->fallback_client_ca.file);
  for (PemSource* const source :
       {&spiffe->fallback_certificate, &spiffe->fallback_key, &spiffe->fallback_client_ca}) {
    source->file = InFolder(folder, source->file);
  }
  if (spiffe->fallback_certificate.empty()) reader.Fail("cert_file", "expected a file in PEM");
  if (spiffe->fallback_key.empty()) reader.Fail("key_file", "expected the certificate's key");
  return reader.Finish();
}

bool IsSocketAddress(std::string_view text) {
  constexpr std::string_view kUnixScheme = "unix://";
  if (text.substr(0, kUnixScheme.size()) == kUnixScheme) text.remove_prefix(kUnixScheme.size());
  return text.size() > 1 && text.front() == '/';
}

// The keys `enabled`, `socket_path` and `authorized_ids` are those that the toolkit's authors have
// proposed.
Status ReadSpiffe(const ConfigNode& node, const std::string& folder, WebConfig* config,
                  std::optional<SpiffeSettings>* spiffe) {
  if (!node.present()) return {};
  SpiffeSettings read;
  bool enabled = true;
  std::vector<std::string> ids;
  std::vector<SpiffeRule> rules;
  ConfigReader reader(node);
  reader.Read("enabled", &enabled);
  reader.Read("socket_path", &read.socket);
  reader.Read("authorized_ids", &ids);
  reader.Check(ReadFallback(reader.Take("fallback"), folder, &read));
  reader.Check(ReadRules(ids, node["authorized_ids"], &SpiffeRule::ParsePattern, &rules));
  Status finished = reader.Finish();  // a word misspelt is told before one that is missing
  if (!finished.ok() || !enabled) return finished;
  if (!IsSocketAddress(read.socket)) {
    return node["socket_path"].Fail(
        "expected the Workload API's socket, such as "
        "unix:///run/spire/agent-sockets/spire-agent.sock");
  }
  config->spiffe_rules = std::move(rules);
  *spiffe = std::move(read);
  return {};
}

// What files say of certificates.
void CheckFiles(const TlsSettings& tls, ConfigReader& reader) {
  if (tls.certificate.empty()) reader.Fail("cert_file", "expected a certificate in PEM");
  if (tls.key.empty()) reader.Fail("key_file", "expected the certificate's key in PEM");
  if (Verifies(tls.client_auth) && tls.client_ca.empty()) {
    reader.Fail("client_ca_file", "expected roots for the clients that client_auth_type verifies");
  }
  if (!Verifies(tls.client_auth) && !tls.client_ca.empty()) {
    reader.Fail(
        "client_auth_type",
        "expected RequireAndVerifyClientCert or VerifyClientCertIfGiven beside a client CA");
  }
}

void CheckSpiffe(const TlsSettings& tls, const WebConfig& config, ConfigReader& reader) {
  if (!tls.certificate.empty() || !tls.key.empty() || !tls.client_ca.empty()) {
    reader.Fail("spiffe",
                "expected this or certificate, key and client CA, not both: "
                "spiffe.fallback takes those for when there is no SVID");
  }
  if (!config.spiffe_rules.empty() && !Verifies(tls.client_auth)) {
    reader.Fail("client_auth_type", "expected one that verifies clients beside authorized_ids");
  }
}

Status ReadTls(const ConfigNode& node, const std::string& folder, WebConfig* config) {
  if (!node.present()) return {};
  TlsSettings tls;
  ConfigReader reader(node);
  ReadPem(reader, "cert_file", "cert", folder, &tls.certificate);
  ReadPem(reader, "key_file", "key", folder, &tls.key);
  ReadPem(reader, "client_ca_file", "client_ca", folder, &tls.client_ca);
  reader.Check(ReadSpiffe(reader.Take("spiffe"), folder, config, &tls.spiffe));
  // Whoever asks for SPIFFE asks for both sides of it, unless they say otherwise.
  auto auth = static_cast<size_t>(tls.spiffe ? ClientAuth::kRequireAndVerifyClientCert
                                             : ClientAuth::kNoClientCert);
  reader.ReadChoice("client_auth_type", kClientAuths, &auth);
  tls.client_auth = static_cast<ClientAuth>(auth);
  reader.Read("client_allowed_sans", &config->client_allowed_sans);
  ReadVersion(reader, "min_version", &tls.min_version);
  ReadVersion(reader, "max_version", &tls.max_version);
  reader.Read("cipher_suites", &tls.cipher_suites);
  reader.Read("prefer_server_cipher_suites", &tls.prefer_server_cipher_suites);
  reader.Read("curve_preferences", &tls.curves);
  if (!tls.spiffe && tls.certificate.empty() && tls.key.empty() && tls.client_ca.empty() &&
      tls.client_auth == ClientAuth::kNoClientCert && config->client_allowed_sans.empty()) {
    return reader.Finish();  // as in the toolkit: a block that asks for nothing is none
  }
  if (tls.spiffe) {
    CheckSpiffe(tls, *config, reader);
  } else {
    CheckFiles(tls, reader);
  }
  if (!config->client_allowed_sans.empty() && !Verifies(tls.client_auth)) {
    reader.Fail("client_allowed_sans",
                "expected a client_auth_type that verifies what clients show");
  }
  Status read = reader.Finish();
  if (!read.ok()) return read;
  if (const Status known = CheckTlsSettings(tls); !known.ok()) {
    return Error{known.error().code, known.error().what, node.where(), false};
  }
  config->tls = std::move(tls);
  return {};
}

Status ReadHeaders(const ConfigNode& node, WebConfig* config) {
  if (!node.present()) return {};
  ConfigReader reader(node);
  const auto take = [&](std::string_view name, auto&& check) {
    std::string value;
    reader.Read(name, &value);
    if (value.empty()) return;
    check(value);
    config->headers.emplace_back(std::string(name), std::move(value));
  };
  const auto any = [](const std::string&) {};
  take("Content-Security-Policy", any);
  take("X-Frame-Options", [&](const std::string& value) {
    for (const std::string_view allowed : kFrameOptions) {
      if (value == allowed) return;
    }
    reader.Fail("X-Frame-Options", "expected deny or sameorigin");
  });
  take("X-Content-Type-Options", [&](const std::string& value) {
    if (value != "nosniff") reader.Fail("X-Content-Type-Options", "expected nosniff");
  });
  take("X-XSS-Protection", any);
  take("Strict-Transport-Security", any);
  return reader.Finish();
}

Status ReadHttp(const ConfigNode& node, WebConfig* config) {
  if (!node.present()) return {};
  ConfigReader reader(node);
  bool http2 = true;  // understood, and without effect: the server speaks HTTP/1.1
  reader.Read("http2", &http2);
  reader.Check(ReadHeaders(reader.Take("headers"), config));
  return reader.Finish();
}

Status ReadUsers(const ConfigNode& node, WebConfig* config) {
  if (!node.present()) return {};
  if (node.kind() != ConfigNode::Kind::kMap) {
    return node.Fail("expected a map from user to bcrypt hash");
  }
  for (const ConfigNode::Entry& entry : node.entries()) {
    if (entry.key.find(':') != std::string::npos) {
      return Error{Code::kInvalidArgument,
                   "basic_auth_users: a user's name cannot have a colon in it", entry.where, false};
    }
    const Result<std::string> hash = entry.value.AsString();
    if (!hash.ok()) return hash.error();
    if (const Result<int> cost = BcryptCost(*hash); !cost.ok()) {
      return entry.value.Fail(cost.error().what);
    }
    config->users.emplace(entry.key, *hash);
  }
  return {};
}

Status ReadRateLimit(const ConfigNode& node, WebConfig* config) {
  if (!node.present()) return {};
  RateLimit limit;
  ConfigReader reader(node);
  reader.Read("interval", &limit.interval, Duration::zero(), std::chrono::hours(1));
  reader.Read("burst", &limit.burst, 0, 1'000'000);
  if (limit.interval > Duration::zero() && limit.burst == 0) {
    reader.Fail("burst", "expected at least 1, or no request could ever pass");
  }
  if (limit.interval > Duration::zero()) config->rate_limit = limit;
  return reader.Finish();
}

Status ReadAuthorization(const ConfigNode& node, WebConfig* config) {
  if (!node.present()) return {};
  std::vector<std::string> ids;
  std::vector<std::string> domains;
  ConfigReader reader(node);
  reader.Read("spiffe_ids", &ids);
  reader.Read("trust_domains", &domains);
  reader.Check(
      ReadRules(ids, node["spiffe_ids"], &SpiffeRule::ParsePattern, &config->spiffe_rules));
  reader.Check(ReadRules(domains, node["trust_domains"], &SpiffeRule::ParseTrustDomain,
                         &config->spiffe_rules));
  Status read = reader.Finish();
  if (!read.ok()) return read;
  if (ids.empty() && domains.empty())
    return node.Fail("expected spiffe_ids, trust_domains or both");
  if (!config->tls || !Verifies(config->tls->client_auth)) {
    return node.Fail(
        "expected tls_server_config with a client_auth_type that verifies what clients show");
  }
  return {};
}

}  // namespace

Result<WebConfig> ReadWebConfig(const ConfigNode& file, const std::string& folder) {
  WebConfig config;
  ConfigReader reader(file);
  reader.Check(ReadTls(reader.Take("tls_server_config"), folder, &config));
  reader.Check(ReadHttp(reader.Take("http_server_config"), &config));
  reader.Check(ReadUsers(reader.Take("basic_auth_users"), &config));
  reader.Check(ReadRateLimit(reader.Take("rate_limit"), &config));
  reader.Check(ReadAuthorization(reader.Take("authorization"), &config));
  reader.Read("bearer_token_file", &config.bearer_token_file);
  config.bearer_token_file = InFolder(folder, config.bearer_token_file);
  if (const Status read = reader.Finish(); !read.ok()) return read.error();
  if (config.tls && config.tls->spiffe) {
    for (const SpiffeRule& rule : config.spiffe_rules) {
      config.tls->spiffe->foreign_trust_domains.push_back(rule.trust_domain());
    }
  }
  return config;
}

}  // namespace spire_exporter
