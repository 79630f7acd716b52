#include "tests/fakes/workload_agent.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "collectors/clients/spire/test_rpc_server.h"

namespace spire_exporter {
namespace {

constexpr auto kLook = std::chrono::milliseconds(20);  // for clients that have gone

// With std::mutex: gRPC brings words for the analysis of threads that are ours as well.
class Agent final : public WorkloadAgent {
 public:
  explicit Agent(std::string socket) : socket_(std::move(socket)) {}
  ~Agent() override { StopServer(); }

  void Start() override {
    spire::TestRpcs rpcs;
    rpcs.x509_svid = [this](grpc::ServerContext* context, auto* writer) {
      return Stream(*context, *writer);
    };
    server_ = spire::TestRpcServer::Start(std::move(rpcs), socket_);
  }
  void Stop() override { StopServer(); }

  void Serve(ServedSvid served) override {
    wire::X509SvidResponse response;
    auto* const svid = response.add_svids();
    svid->set_spiffe_id(std::move(served.spiffe_id));
    svid->set_x509_svid(std::move(served.chain));
    svid->set_x509_svid_key(std::move(served.key));
    svid->set_bundle(std::move(served.bundle));
    for (auto& [domain, roots] : served.federated_bundles) {
      auto* const bundle = response.add_federated_bundles();
      bundle->set_trust_domain(domain);
      bundle->set_bundle(std::move(roots));
    }
    Say(std::move(response));
  }
  void Deny() override { Say(std::nullopt); }

 private:
  void StopServer() {
    if (server_) server_->Stop();
    server_.reset();
  }
  void Say(std::optional<wire::X509SvidResponse> what) {
    const std::lock_guard lock(mutex_);
    says_ = std::move(what);
    ++number_;
    changed_.notify_all();
  }
  grpc::Status Stream(grpc::ServerContext& context,
                      grpc::ServerWriter<wire::X509SvidResponse>& writer) {
    for (int sent = 0;;) {
      wire::X509SvidResponse response;
      {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, kLook, [&] { return number_ > sent; });
        if (context.IsCancelled()) return grpc::Status::CANCELLED;
        if (number_ == sent) continue;
        sent = number_;
        if (!says_) return {grpc::StatusCode::PERMISSION_DENIED, "no identity issued"};
        response = *says_;
      }
      if (!writer.Write(response)) return grpc::Status::CANCELLED;
    }
  }

  const std::string socket_;
  std::unique_ptr<spire::TestRpcServer> server_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int number_ = 0;
  std::optional<wire::X509SvidResponse> says_;
};

}  // namespace

std::unique_ptr<WorkloadAgent> WorkloadAgent::At(std::string socket) {
  return std::make_unique<Agent>(std::move(socket));
}

}  // namespace spire_exporter
