#include "collectors/svid/trust_roots.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <utility>

#include "collectors/clients/spiffe/bundle_document.h"
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

// The bundle of `trust_domain`, or of the only one; null when there is none such.
const std::string* Find(const std::map<std::string, std::string>& bundles,
                        std::string_view trust_domain) {
  if (trust_domain.empty()) return bundles.size() == 1 ? &bundles.begin()->second : nullptr;
  for (const auto& [id, bundle] : bundles) {
    if (spire::TrustDomainName(id) == trust_domain) return &bundle;
  }
  return nullptr;
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

TrustedRoots FetchHeldBundle(const spire::WorkloadApi& api, std::string_view trust_domain,
                             const spire::Call& call) {
  const auto x509 = api.FetchX509Bundles(call);
  if (!x509.ok()) return Without(StateOf(x509.error().code));
  const std::string* const der = Find(*x509, trust_domain);
  if (der == nullptr) return Without(RootsState::kMalformed);
  auto certificates = spiffe::SplitCertificates(*der);
  if (!certificates.ok() || certificates->empty()) return Without(RootsState::kMalformed);
  TrustedRoots roots = Without(RootsState::kOk);
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
