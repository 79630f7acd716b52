#include "collectors/server/test_api_server.h"

#include <atomic>
#include <thread>
#include <utility>

#include "collectors/clients/spire/test_rpc_server.h"

namespace spire_exporter::server {
namespace {

class RpcApiServer final : public ApiServer {
 public:
  RpcApiServer(std::unique_ptr<spire::TestRpcServer> server,
               std::shared_ptr<std::atomic<int>> wit_calls)
      : wit_calls_(std::move(wit_calls)), server_(std::move(server)) {}

  int wit_calls() const override { return *wit_calls_; }

 private:
  const std::shared_ptr<std::atomic<int>> wit_calls_;
  const std::unique_ptr<spire::TestRpcServer> server_;
};

grpc::Status Authorities(grpc::ServerContext*, const wire::EmptyRequest&,
                         wire::AuthorityStates* out) {
  out->mutable_active()->set_authority_id("ab12cd34ef56ab12cd34ef56ab12cd34ef56ab12");
  out->mutable_active()->set_expires_at(1'800'000'000);
  out->mutable_prepared()->set_authority_id("1234567890abcdef1234567890abcdef12345678");
  out->mutable_prepared()->set_expires_at(1'800'000'600);
  return grpc::Status::OK;
}

grpc::Status Keys(grpc::ServerContext*, const wire::EmptyRequest&, wire::AuthorityStates* out) {
  out->mutable_active()->set_authority_id("a-key");
  out->mutable_active()->set_expires_at(1'800'000'000);
  return grpc::Status::OK;
}

grpc::Status Relationships(grpc::ServerContext*, const wire::RelationshipsRequest&,
                           wire::RelationshipsResponse* out) {
  auto* one = out->add_federation_relationships();
  one->set_trust_domain("other.test");
  one->set_https_spiffe("");
  one->set_trust_domain_bundle("");
  auto* two = out->add_federation_relationships();
  two->set_trust_domain("web.test");
  two->set_https_web("");
  return grpc::Status::OK;
}

}  // namespace

std::unique_ptr<ApiServer> StartApiServer(const std::string& socket, ApiMood mood) {
  spire::TestRpcs rpcs;
  rpcs.x509_authorities = &Authorities;
  rpcs.jwt_authorities = &Keys;
  rpcs.relationships = &Relationships;
  const auto wit_calls = std::make_shared<std::atomic<int>>(0);
  rpcs.wit_authorities = [wit_calls](grpc::ServerContext*, const wire::EmptyRequest&,
                                     wire::AuthorityStates*) {
    ++*wit_calls;
    return grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "");
  };
  rpcs.health = [mood](grpc::ServerContext* context, const wire::EmptyRequest&,
                       wire::HealthResponse* out) {
    while (mood == ApiMood::kDatabaseHangs && !context->IsCancelled()) std::this_thread::yield();
    out->set_status(mood == ApiMood::kWell ? 1 : 2);
    return grpc::Status::OK;
  };
  if (mood == ApiMood::kNoRight) {
    rpcs.x509_authorities = [](grpc::ServerContext*, const wire::EmptyRequest&,
                               wire::AuthorityStates*) {
      return grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "no");
    };
  }
  return std::make_unique<RpcApiServer>(spire::TestRpcServer::Start(std::move(rpcs), socket),
                                        wit_calls);
}

}  // namespace spire_exporter::server
