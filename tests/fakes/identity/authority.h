// What a SPIRE server signs with and what its agents trust: an authority with true keys.
#ifndef TESTS_FAKES_IDENTITY_AUTHORITY_H_
#define TESTS_FAKES_IDENTITY_AUTHORITY_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "collectors/clients/spiffe/test_identity.h"
#include "exporter/base/clock.h"
#include "exporter/base/result.h"

namespace spire_exporter::fakes {

// Certificates are back-dated by that much, and nothing else gives room for wrong clocks.
inline constexpr std::chrono::seconds kBackdate{10};

struct Svid {
  std::string spiffe_id;
  std::string chain;  // DER, the leaf first, one after the other
  std::string key;    // PKCS #8
  std::chrono::sys_seconds not_before;
  std::chrono::sys_seconds not_after;
};

struct AuthorityOptions {
  std::string trust_domain = "example.org";
  std::chrono::sys_seconds now;      // when it is made
  std::chrono::seconds ttl{86'400};  // of its certificate, and of its key for tokens
};

// An X.509 authority and a key for tokens. Immutable but for the count of serial numbers, so that
// it is safe from any thread. Throws std::runtime_error when OpenSSL refuses.
class Authority {
 public:
  // Its own root, or an intermediate under `upstream`, which is not kept.
  explicit Authority(const AuthorityOptions& options, const Authority* upstream = nullptr);

  const std::string& trust_domain() const { return trust_domain_; }
  std::chrono::sys_seconds not_after() const { return not_after_; }
  // `spiffe://example.org/PATH`
  std::string Id(const std::string& path) const { return "spiffe://" + trust_domain_ + '/' + path; }
  // What goes into a bundle, as DER: the root.
  const std::string& root() const { return root_; }
  // Its own certificate; the same as the root unless it has an upstream.
  const std::string& certificate() const { return ca_.der; }
  // The subject key id of its certificate in lower-case hex, by which SPIRE names it.
  const std::string& id() const { return id_; }
  const spiffe::TestJwtKey& jwt_key() const { return jwt_key_; }

  // By SPIRE's rules: back-dated by kBackdate, ending at now + ttl but not after the authority.
  Svid Sign(const std::string& spiffe_id, std::chrono::sys_seconds now,
            std::chrono::seconds ttl) const;
  // Of the server itself, `/spire/server`, and of an agent, `/spire/agent/NAME`.
  Svid SignServer(std::chrono::sys_seconds now, std::chrono::seconds ttl) const;
  Svid SignAgent(std::string_view name, std::chrono::sys_seconds now,
                 std::chrono::seconds ttl) const;
  // A JWT-SVID with `sub`, `aud`, `iat` and `exp`; not back-dated.
  std::string SignJwt(const std::string& spiffe_id, const std::string& audience,
                      std::chrono::sys_seconds now, std::chrono::seconds ttl) const;
  // The key for tokens as a JWKS document.
  std::string Jwks() const { return spiffe::TestJwks({jwt_key_}); }

  // All of it as one file, keys included, readable by whoever may read the folder: servers and
  // agents of one lab share it. Written under another name first.
  Status Save(const std::string& path) const;
  static Result<std::shared_ptr<const Authority>> Load(const std::string& path);

 private:
  Authority() = default;

  std::string trust_domain_;
  std::chrono::sys_seconds not_after_;
  spiffe::TestIssued ca_;
  std::string root_;
  std::string above_;  // certificates that follow a leaf: none for a root
  std::string id_;
  spiffe::TestJwtKey jwt_key_;
  // relaxed: numbers differ, and that is all.
  mutable std::atomic<unsigned> serial_{1};
};

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_IDENTITY_AUTHORITY_H_
