// The SPIFFE Workload API, as a workload uses it (SPIFFE_Workload_API.md, sections 5 and 6).
#ifndef COLLECTORS_CLIENTS_SPIRE_WORKLOAD_API_H_
#define COLLECTORS_CLIENTS_SPIRE_WORKLOAD_API_H_

#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "collectors/clients/spire/call.h"
#include "collectors/clients/spire/channel.h"
#include "exporter/base/result.h"

namespace spire_exporter::spire {

// As it was served: an agent serves what has expired and what nobody can verify without a word, so
// that nothing here has been checked. Certificates are DER.
struct X509Svid {
  std::string spiffe_id;
  std::string chain;   // the leaf first, one after the other
  std::string key;     // PKCS #8, unencrypted; never logged
  std::string bundle;  // the roots of the SVID's own trust domain, one after the other
  std::string hint;
};

struct X509Context {
  std::vector<X509Svid> svids;  // the default first; at least one
  // By trust domain, `spiffe://partner.test`.
  std::map<std::string, std::string> federated_bundles;
};

struct JwtSvid {
  std::string spiffe_id;
  std::string token;  // a secret: never logged
  std::string hint;
};

// Errors are the agent's, with its code: kPermissionDenied when no entry is for us, kUnavailable
// when there is no agent or it has no server, kInvalidArgument, kDeadlineExceeded, kCancelled,
// kResourceExhausted (a message too long), kDataLoss (none at all, or one that cannot be).
// Safe from any thread, one call a thread at a time.
class WorkloadApi {
 public:
  explicit WorkloadApi(std::shared_ptr<Channel> channel);

  // The first message of the stream, which then is ended. About 1 ms, a round trip to the agent.
  Result<X509Context> FetchX509Svid(const Call& call) const;
  // Bundles by trust domain, `spiffe://example.org`: roots as DER, keys as JWKS.
  Result<std::map<std::string, std::string>> FetchX509Bundles(const Call& call) const;
  Result<std::map<std::string, std::string>> FetchJwtBundles(const Call& call) const;
  // Signs one token for `spiffe_id`, or one for every entry of ours when it is empty.
  Result<std::vector<JwtSvid>> FetchJwtSvid(const std::string& audience,
                                            const std::string& spiffe_id, const Call& call) const;

  // Every message of the stream as it comes, and every failure of it; after one, the stream is
  // begun again, with jittered back-off of 0.1 to 30 s (kPermissionDenied waits like any other).
  // Runs on the caller's thread, calls `handler` on it, and returns once stop is requested.
  void WatchX509Svid(std::stop_token stop, const Clock& clock,
                     const std::function<void(Result<X509Context>)>& handler) const;

 private:
  std::shared_ptr<Channel> channel_;
};

}  // namespace spire_exporter::spire

#endif  // COLLECTORS_CLIENTS_SPIRE_WORKLOAD_API_H_
