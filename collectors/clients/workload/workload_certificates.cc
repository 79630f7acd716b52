#include "collectors/clients/workload/workload_certificates.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "collectors/clients/spiffe/x509_svid.h"
#include "exporter/base/thread.h"
#include "exporter/tls/tls_server.h"

namespace spire_exporter {
namespace {

constexpr std::string_view kScheme = "spiffe://";

Error Unusable(std::string what) {
  return Error{Code::kDataLoss, "the Workload API's " + std::move(what), "", true};
}

std::string Base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t have = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) {
      group = group << 8 | (j < have ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    }
    for (size_t j = 0; j < 4; ++j) {
      out += j <= have ? kDigits[(group >> (18 - 6 * j)) & 63] : '=';
    }
  }
  return out;
}

// RFC 7468.
std::string Pem(std::string_view label, std::string_view der) {
  const std::string text = Base64(der);
  std::string out = "-----BEGIN " + std::string(label) + "-----\n";
  for (size_t i = 0; i < text.size(); i += 64) out.append(text, i, 64) += '\n';
  return out + "-----END " + std::string(label) + "-----\n";
}

Result<std::string> CertificatesAsPem(std::string_view der) {
  const auto split = spiffe::SplitCertificates(der);
  if (!split.ok()) return split.error();
  std::string out;
  for (const std::string& one : *split) out += Pem("CERTIFICATE", one);
  return out;
}

// `example.org` of `spiffe://example.org/ns/a`; empty for what is none.
std::string TrustDomainOf(std::string_view id) {
  if (!id.starts_with(kScheme)) return {};
  id.remove_prefix(kScheme.size());
  return std::string(id.substr(0, id.find('/')));
}

class Fixed final : public CertificateSource {
 public:
  explicit Fixed(const TlsMaterial& material) : material_(material) {}
  Result<TlsMaterial> Load() override { return material_; }

 private:
  const TlsMaterial& material_;
};

// By the one judge of it: whether a server could be made.
Status Try(const TlsMaterial& material, const std::string& foreign) {
  TlsSettings settings;
  settings.client_auth = ClientAuth::kRequireAndVerifyClientCert;
  settings.spiffe.emplace();
  if (!foreign.empty()) settings.spiffe->foreign_trust_domains.push_back(foreign);
  Fixed fixed(material);
  return CheckCertificates(settings, fixed);
}

WorkloadSource::Problem ProblemOf(Code code) {
  switch (code) {
    case Code::kPermissionDenied:
      return WorkloadSource::Problem::kDenied;
    case Code::kDataLoss:
    case Code::kResourceExhausted:
      return WorkloadSource::Problem::kUnusable;
    default:
      return WorkloadSource::Problem::kUnavailable;
  }
}

}  // namespace

Result<TlsMaterial> MaterialOf(const spire::X509Context& context) {
  if (context.svids.empty()) return Unusable("message has no SVID");
  const spire::X509Svid& svid = context.svids.front();
  TlsMaterial material;
  material.origin = CertificateOrigin::kWorkloadApi;
  material.certificate_name = "SVID";
  material.key_name = "key of the SVID";
  material.trust_domain = TrustDomainOf(svid.spiffe_id);
  if (material.trust_domain.empty()) return Unusable("SVID has no SPIFFE ID");
  auto chain = CertificatesAsPem(svid.chain);
  if (!chain.ok()) return Unusable("SVID: " + chain.error().what);
  auto roots = CertificatesAsPem(svid.bundle);
  if (!roots.ok()) return Unusable("bundle: " + roots.error().what);
  material.certificate = *std::move(chain);
  material.key = Pem("PRIVATE KEY", svid.key);
  material.spiffe_roots.emplace(material.trust_domain, *std::move(roots));
  if (const Status good = Try(material, ""); !good.ok()) return Unusable(good.error().what);
  for (const auto& [id, bundle] : context.federated_bundles) {
    const std::string domain = TrustDomainOf(id);
    if (domain.empty() || domain == material.trust_domain) continue;
    auto foreign = CertificatesAsPem(bundle);
    if (!foreign.ok()) continue;
    material.spiffe_roots[domain] = *std::move(foreign);
    if (!Try(material, domain).ok()) material.spiffe_roots.erase(domain);
  }
  return material;
}

WorkloadCertificates::WorkloadCertificates(Watch watch, const Clock& clock,
                                           std::function<void()> changed)
    : watch_(std::move(watch)),
      clock_(clock),
      changed_(std::move(changed)),
      thread_([this](const std::stop_token& stop) {
        NameThisThread("workload-api");
        watch_(stop, [this](Result<spire::X509Context> message) { Take(std::move(message)); });
      }) {}

WorkloadCertificates::~WorkloadCertificates() = default;

void WorkloadCertificates::Take(Result<spire::X509Context> message) {
  Result<TlsMaterial> material =
      message.ok() ? MaterialOf(*message) : Result<TlsMaterial>(message.error());
  {
    const MutexLock lock(mutex_);
    if (material.ok()) {
      material_ = *std::move(material);
      state_ = {UnixSeconds(clock_.System()), Problem::kNone, ""};
    } else {
      state_.problem = ProblemOf(material.error().code);
      state_.error = material.error().what;
    }
    spoke_.notify_all();
  }
  if (changed_) changed_();
}

Result<TlsMaterial> WorkloadCertificates::Load() {
  const MutexLock lock(mutex_);
  if (material_) return *material_;
  return Error{Code::kUnavailable,
               "no SVID from the Workload API" +
                   (state_.error.empty() ? std::string(" yet") : ": " + state_.error),
               "", true};
}

bool WorkloadCertificates::waiting() const {
  const MutexLock lock(mutex_);
  return !material_.has_value();
}

WorkloadSource::State WorkloadCertificates::state() const {
  const MutexLock lock(mutex_);
  return state_;
}

void WorkloadCertificates::AwaitFirst(const Deadline& deadline, const Clock& clock,
                                      std::stop_token stop) {
  mutex_.lock();
  spoke_.wait_for(mutex_, std::move(stop), deadline.Remaining(clock),
                  [this]() NO_THREAD_SAFETY_ANALYSIS {
                    return material_.has_value() || !state_.error.empty();
                  });
  mutex_.unlock();
}

}  // namespace spire_exporter
