#include "collectors/svid/trust_roots.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <utility>

#include "collectors/clients/spiffe/bundle_document.h"
#include "collectors/clients/spiffe/spiffe_id.h"
#include "collectors/clients/spiffe/x509_svid.h"
#include "collectors/clients/spire/records.h"
#include "exporter/base/unique_fd.h"

namespace spire_exporter::svid {
namespace {

constexpr size_t kReadBytes = size_t{8} << 10;

TrustedRoots Without(RootsState state) {
  TrustedRoots roots;
  roots.state = state;
  return roots;
}

RootsState StateOf(Code code) {
  switch (code) {
    case Code::kPermissionDenied:
      return RootsState::kDenied;
    case Code::kDataLoss:
    case Code::kResourceExhausted:
      return RootsState::kMalformed;
    default:
      return RootsState::kUnavailable;
  }
}

RootsState StateOfErrno(int number) {
  return number == EACCES || number == EPERM ? RootsState::kDenied : RootsState::kUnavailable;
}

// Null when there is none such.
const std::string* Find(const std::map<std::string, std::string>& bundles,
                        std::string_view trust_domain) {
  for (const auto& [id, bundle] : bundles) {
    if (spire::TrustDomainName(id) == trust_domain) return &bundle;
  }
  return nullptr;
}

// That of the only bundle, or of the SVID that is ours; empty when neither tells. Partners' bundles
// come beside the agent's own.
std::string AgentDomain(const spire::WorkloadApi& api,
                        const std::map<std::string, std::string>& bundles,
                        const spire::Call& call) {
  if (bundles.size() == 1) return std::string(spire::TrustDomainName(bundles.begin()->first));
  const auto svids = api.FetchX509Svid(call);
  if (!svids.ok() || !spiffe::IsSpiffeId(svids->svids.front().spiffe_id)) return {};
  constexpr size_t kScheme = std::string_view("spiffe://").size();
  const std::string& id = svids->svids.front().spiffe_id;
  return id.substr(kScheme, id.find('/', kScheme) - kScheme);
}

}  // namespace

std::string_view RootsStateName(RootsState state) {
  switch (state) {
    case RootsState::kOk:
      return "ok";
    case RootsState::kDenied:
      return "denied";
    case RootsState::kUnavailable:
      return "unavailable";
    case RootsState::kMalformed:
      break;
  }
  return "malformed";
}

TrustedRoots ReadBootstrapBundle(const std::string& path) {
  // Without waiting for the writer of a pipe.
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return Without(StateOfErrno(errno));
  // Room as it is needed: a bundle has some KiB, and this is asked every round.
  std::string text;
  size_t size = 0;
  while (size <= spiffe::kBundleDocumentBytesMax) {
    text.resize(size + kReadBytes);
    const ssize_t got = read(fd.get(), text.data() + size, kReadBytes);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Without(StateOfErrno(errno));
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  text.resize(size);
  auto document = spiffe::ReadBundleDocument(text);
  if (!document.ok() || document->certificates.empty()) return Without(RootsState::kMalformed);
  TrustedRoots roots = Without(RootsState::kOk);
  roots.certificates = std::move(document->certificates);
  return roots;
}

TrustedRoots FetchHeldBundle(const spire::WorkloadApi& api, const WantedDomain& wanted,
                             const spire::Call& call) {
  const auto x509 = api.FetchX509Bundles(call);
  // Whoever has no entry is refused again, and each refusal is an error in the agent's log.
  if (!x509.ok()) return Without(StateOf(x509.error().code));
  const std::string told = wanted.known.empty() ? AgentDomain(api, *x509, call) : std::string();
  const std::string& trust_domain = !wanted.known.empty() ? wanted.known
                                    : !told.empty()       ? told
                                                          : wanted.otherwise;
  TrustedRoots roots = Without(RootsState::kMalformed);
  roots.agent_domain = told;
  const std::string* const der = Find(*x509, trust_domain);
  if (der == nullptr) return roots;
  auto certificates = spiffe::SplitCertificates(*der);
  if (!certificates.ok() || certificates->empty()) return roots;
  roots.state = RootsState::kOk;
  roots.certificates = std::move(*certificates);

  const auto jwt = api.FetchJwtBundles(call);
  if (!jwt.ok()) return roots;
  if (const std::string* const jwks = Find(*jwt, trust_domain)) {
    auto document = spiffe::ReadBundleDocument(*jwks);
    if (document.ok()) roots.jwt_key_ids = std::move(document->key_ids);
  }
  return roots;
}

uint64_t TrustNumber(std::span<const std::string> authorities) {
  uint64_t number = 0;
  for (const char c : spiffe::TrustFingerprint(authorities)) {
    number = number << 4 | static_cast<uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
  }
  return number;
}

}  // namespace spire_exporter::svid
