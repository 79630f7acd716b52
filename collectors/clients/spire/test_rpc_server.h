// For tests: a SPIRE of our own making behind a unix socket or handed-over connections, whose
// answers the test writes. Links spire_rpc_proto.
#ifndef COLLECTORS_CLIENTS_SPIRE_TEST_RPC_SERVER_H_
#define COLLECTORS_CLIENTS_SPIRE_TEST_RPC_SERVER_H_

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "collectors/clients/spire/rpc/agent_debug.grpc.pb.h"
#include "collectors/clients/spire/rpc/bundle.grpc.pb.h"
#include "collectors/clients/spire/rpc/health.grpc.pb.h"
#include "collectors/clients/spire/rpc/local_authority.grpc.pb.h"
#include "collectors/clients/spire/rpc/trust_domain.grpc.pb.h"
#include "collectors/clients/spire/rpc/workload.grpc.pb.h"

namespace spire_exporter::spire {

// What the methods do; those that are not set are UNIMPLEMENTED. Set before Start().
struct TestRpcs {
  template <typename Request, typename Response>
  using Unary =
      std::function<grpc::Status(grpc::ServerContext*, const Request&, Response* response)>;
  template <typename Response>
  using Stream = std::function<grpc::Status(grpc::ServerContext*, grpc::ServerWriter<Response>*)>;

  Stream<wire::X509SvidResponse> x509_svid;
  Stream<wire::X509BundlesResponse> x509_bundles;
  Stream<wire::JwtBundlesResponse> jwt_bundles;
  Unary<wire::JwtSvidRequest, wire::JwtSvidResponse> jwt_svid;
  Unary<wire::EmptyRequest, wire::AgentInfoResponse> agent_info;
  Unary<wire::EmptyRequest, wire::HealthResponse> health;
  Unary<wire::EmptyRequest, wire::BundleMessage> bundle;
  Unary<wire::EmptyRequest, wire::AuthorityStates> x509_authorities, jwt_authorities,
      wit_authorities;
  Unary<wire::RelationshipsRequest, wire::RelationshipsResponse> relationships;
};

class TestRpcServer {
 public:
  // Listens on `socket` unless that is empty. Throws std::runtime_error.
  static std::unique_ptr<TestRpcServer> Start(TestRpcs rpcs, const std::string& socket);
  virtual ~TestRpcServer() = default;

  // Serves a connection that somebody accepted; takes the descriptor.
  virtual void Serve(int fd) = 0;
  // Ends all calls and connections.
  virtual void Stop() = 0;

 protected:
  TestRpcServer() = default;
};

}  // namespace spire_exporter::spire

#endif  // COLLECTORS_CLIENTS_SPIRE_TEST_RPC_SERVER_H_
