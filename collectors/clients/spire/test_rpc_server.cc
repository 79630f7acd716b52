#include "collectors/clients/spire/test_rpc_server.h"

#include <fcntl.h>
#include <grpcpp/server_posix.h>

#include <chrono>
#include <stdexcept>
#include <utility>

namespace spire_exporter::spire {
namespace {

using grpc::ServerContext;
using Empty = wire::EmptyRequest;

template <typename Function, typename... Arguments>
grpc::Status Answer(const Function& function, Arguments&&... arguments) {
  if (!function) return {grpc::StatusCode::UNIMPLEMENTED, "not in this test"};
  return function(std::forward<Arguments>(arguments)...);
}

class Workload final : public SpiffeWorkloadAPI::Service {
 public:
  explicit Workload(const TestRpcs& rpcs) : rpcs_(rpcs) {}
  grpc::Status FetchX509SVID(ServerContext* context, const Empty*,
                             grpc::ServerWriter<wire::X509SvidResponse>* writer) override {
    return IfMeant(context, rpcs_.x509_svid, writer);
  }
  grpc::Status FetchX509Bundles(ServerContext* context, const Empty*,
                                grpc::ServerWriter<wire::X509BundlesResponse>* writer) override {
    return IfMeant(context, rpcs_.x509_bundles, writer);
  }
  grpc::Status FetchJWTBundles(ServerContext* context, const Empty*,
                               grpc::ServerWriter<wire::JwtBundlesResponse>* writer) override {
    return IfMeant(context, rpcs_.jwt_bundles, writer);
  }
  grpc::Status FetchJWTSVID(ServerContext* context, const wire::JwtSvidRequest* request,
                            wire::JwtSvidResponse* response) override {
    return IfMeant(context, rpcs_.jwt_svid, *request, response);
  }

 private:
  // As an agent does it.
  template <typename Function, typename... Arguments>
  grpc::Status IfMeant(ServerContext* context, const Function& function, Arguments&&... arguments) {
    const auto& metadata = context->client_metadata();
    const auto header = metadata.find("workload.spiffe.io");
    if (header == metadata.end() || header->second != "true") {
      return {grpc::StatusCode::INVALID_ARGUMENT, "security header missing from request"};
    }
    return Answer(function, context, std::forward<Arguments>(arguments)...);
  }

  const TestRpcs& rpcs_;
};

class AgentDebug final : public ::spire::agent::debug::v1::Debug::Service {
 public:
  explicit AgentDebug(const TestRpcs& rpcs) : rpcs_(rpcs) {}
  grpc::Status GetInfo(ServerContext* context, const Empty* request,
                       wire::AgentInfoResponse* response) override {
    return Answer(rpcs_.agent_info, context, *request, response);
  }

 private:
  const TestRpcs& rpcs_;
};

class Health final : public ::grpc::health::v1::Health::Service {
 public:
  explicit Health(const TestRpcs& rpcs) : rpcs_(rpcs) {}
  grpc::Status Check(ServerContext* context, const Empty* request,
                     wire::HealthResponse* response) override {
    return Answer(rpcs_.health, context, *request, response);
  }

 private:
  const TestRpcs& rpcs_;
};

class BundleService final : public ::spire::api::server::bundle::v1::Bundle::Service {
 public:
  explicit BundleService(const TestRpcs& rpcs) : rpcs_(rpcs) {}
  grpc::Status GetBundle(ServerContext* context, const Empty* request,
                         wire::BundleMessage* response) override {
    return Answer(rpcs_.bundle, context, *request, response);
  }

 private:
  const TestRpcs& rpcs_;
};

class Authorities final : public ::spire::api::server::localauthority::v1::LocalAuthority::Service {
 public:
  explicit Authorities(const TestRpcs& rpcs) : rpcs_(rpcs) {}
  grpc::Status GetX509AuthorityState(ServerContext* context, const Empty* request,
                                     wire::AuthorityStates* response) override {
    return Answer(rpcs_.x509_authorities, context, *request, response);
  }
  grpc::Status GetJWTAuthorityState(ServerContext* context, const Empty* request,
                                    wire::AuthorityStates* response) override {
    return Answer(rpcs_.jwt_authorities, context, *request, response);
  }
  grpc::Status GetWITAuthorityState(ServerContext* context, const Empty* request,
                                    wire::AuthorityStates* response) override {
    return Answer(rpcs_.wit_authorities, context, *request, response);
  }

 private:
  const TestRpcs& rpcs_;
};

class Federation final : public ::spire::api::server::trustdomain::v1::TrustDomain::Service {
 public:
  explicit Federation(const TestRpcs& rpcs) : rpcs_(rpcs) {}
  grpc::Status ListFederationRelationships(ServerContext* context,
                                           const wire::RelationshipsRequest* request,
                                           wire::RelationshipsResponse* response) override {
    return Answer(rpcs_.relationships, context, *request, response);
  }

 private:
  const TestRpcs& rpcs_;
};

class RpcServer final : public TestRpcServer {
 public:
  RpcServer(TestRpcs rpcs, const std::string& socket) : rpcs_(std::move(rpcs)) {
    grpc::ServerBuilder builder;
    builder.SetMaxReceiveMessageSize(-1);
    if (!socket.empty()) {
      builder.AddListeningPort("unix:" + socket, grpc::InsecureServerCredentials());
    }
    for (grpc::Service* service : std::initializer_list<grpc::Service*>{
             &workload_, &debug_, &health_, &bundle_, &authorities_, &federation_}) {
      builder.RegisterService(service);
    }
    server_ = builder.BuildAndStart();
    if (!server_) throw std::runtime_error("no server on " + socket);
  }
  ~RpcServer() override { Stop(); }

  void Serve(int fd) override {
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    grpc::AddInsecureChannelFromFd(server_.get(), fd);
  }
  void Stop() override {
    server_->Shutdown(std::chrono::system_clock::time_point());  // long past: at once
    server_->Wait();
  }

 private:
  const TestRpcs rpcs_;
  Workload workload_{rpcs_};
  AgentDebug debug_{rpcs_};
  Health health_{rpcs_};
  BundleService bundle_{rpcs_};
  Authorities authorities_{rpcs_};
  Federation federation_{rpcs_};
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace

std::unique_ptr<TestRpcServer> TestRpcServer::Start(TestRpcs rpcs, const std::string& socket) {
  return std::make_unique<RpcServer>(std::move(rpcs), socket);
}

}  // namespace spire_exporter::spire
