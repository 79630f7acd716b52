// A SPIRE agent as a workload sees it: the Workload API on a unix socket.
#ifndef TESTS_FAKES_IDENTITY_AGENT_SOCKET_H_
#define TESTS_FAKES_IDENTITY_AGENT_SOCKET_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "exporter/base/result.h"
#include "tests/fakes/identity/authority.h"
#include "tests/fakes/identity/wire_front.h"

namespace spire_exporter::fakes {

// What a workload is served, whether it is good or not: agents serve what has expired, too.
struct WorkloadAnswer {
  struct Entry {
    Svid svid;
    std::string bundle;  // roots as DER, one after the other
    std::string hint;
  };
  std::vector<Entry> entries;  // none: kPermissionDenied, "no identity issued"
  // By trust domain, `spiffe://example.org`. X.509-bundles as DER, the own one among them; JWT
  // bundles as JWKS.
  std::map<std::string, std::string> federated_bundles;
  std::map<std::string, std::string> x509_bundles;
  std::map<std::string, std::string> jwt_bundles;
  size_t padding = 0;  // bytes of a bundle that is none, to make messages long

  // Those SVIDs with the bundle of `authority`.
  static WorkloadAnswer Of(const Authority& authority, std::vector<Svid> svids);
};

// Answers FetchJWTSVID: a token per SPIFFE ID. Called on gRPC's threads.
struct JwtAnswer {
  std::string spiffe_id;
  std::string token;
  std::string hint;
};
// `audience` is the first that was asked for, `spiffe_id` empty when none was named.
using JwtSigner = std::function<Result<std::vector<JwtAnswer>>(const std::string& audience,
                                                               const std::string& spiffe_id)>;

enum class AgentMethod { kX509Svid, kX509Bundles, kJwtSvid, kJwtBundles };

// Runs until it goes; its methods are safe from any thread. Requires the security header as SPIRE
// does. Until Serve() nobody has an entry; until SignWith() tokens are kUnavailable.
class FakeAgentSocket {
 public:
  static Result<std::unique_ptr<FakeAgentSocket>> Start(const std::string& path);
  ~FakeAgentSocket();

  // `unix:///run/agent.sock`
  std::string address() const;

  // From now on; whoever streams gets it at once.
  void Serve(WorkloadAnswer answer);
  void SignWith(JwtSigner signer);
  // Signs with `authority` for the entries served, by `clock`; both outlive the fake.
  void SignWith(const Authority& authority, const Clock& clock, std::chrono::seconds ttl);

  // Every method fails that way, streams too; kOk ends it.
  void Fail(Code code, const std::string& message = "");
  void Hang(bool hang);
  // The next message of an X.509 stream is cut in its middle with the connection.
  void DieMidMessage();
  // Below gRPC.
  WireFront& wire() { return *front_; }

  uint64_t calls(AgentMethod method) const;
  // Calls without the security header, all refused.
  uint64_t unmeant() const;
  // Streams of X.509-SVIDs that are open now.
  uint64_t streams() const;
  // Every audience that was asked for, in order; the last thousand.
  std::vector<std::string> audiences() const;

 private:
  struct Service;
  FakeAgentSocket();

  std::unique_ptr<Service> service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<WireFront> front_;
};

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_IDENTITY_AGENT_SOCKET_H_
