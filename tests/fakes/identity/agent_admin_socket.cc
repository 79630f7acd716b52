#include "tests/fakes/identity/agent_admin_socket.h"

#include <grpcpp/server_builder.h>

#include <atomic>
#include <utility>

#include "collectors/clients/spire/rpc/agent_debug.grpc.pb.h"
#include "exporter/base/mutex.h"
#include "tests/fakes/identity/grpc_gate.h"

namespace spire_exporter::fakes {

struct FakeAgentAdmin::Service final : ::spire::agent::debug::v1::Debug::Service {
  grpc::Status GetInfo(grpc::ServerContext* context, const wire::EmptyRequest*,
                       wire::AgentInfoResponse* response) override {
    calls.fetch_add(1, std::memory_order_relaxed);
    const grpc::Status passed = Pass(gate, *context);
    if (!passed.ok()) return passed;
    const MutexLock lock(mutex);
    for (const std::chrono::sys_seconds expiry : answer.svid_chain_expiry) {
      response->add_svid_chain()->set_expires_at(expiry.time_since_epoch().count());
    }
    response->set_uptime(static_cast<int32_t>(answer.uptime.count()));
    response->set_svids_count(answer.svids_count);
    response->set_last_sync_success(answer.last_sync_success.time_since_epoch().count());
    response->set_cached_x509_svids_count(answer.cached_x509_svids);
    response->set_cached_jwt_svids_count(answer.cached_jwt_svids);
    response->set_cached_svidstore_x509_svids_count(answer.cached_svidstore_svids);
    return grpc::Status::OK;
  }

  Gate gate;
  std::atomic<uint64_t> calls{0};  // relaxed: a lone number
  Mutex mutex;
  AgentInfoAnswer answer GUARDED_BY(mutex);
};

FakeAgentAdmin::FakeAgentAdmin() : service_(std::make_unique<Service>()) {}

Result<std::unique_ptr<FakeAgentAdmin>> FakeAgentAdmin::Start(const std::string& path) {
  std::unique_ptr<FakeAgentAdmin> fake(new FakeAgentAdmin());
  grpc::ServerBuilder builder;
  builder.RegisterService(fake->service_.get());
  fake->server_ = builder.BuildAndStart();
  if (!fake->server_) return Error{Code::kInternal, "gRPC does not start", {}};
  Result<std::unique_ptr<WireFront>> front = WireFront::Start("unix:" + path, fake->server_.get());
  if (!front.ok()) return std::move(front).error();
  fake->front_ = std::move(front).value();
  return fake;
}

FakeAgentAdmin::~FakeAgentAdmin() {
  if (front_) static_cast<void>(front_->Fail(WireFault::kRefuse));
  service_->gate.Close();
  if (server_) {
    server_->Shutdown(std::chrono::system_clock::time_point());
    server_->Wait();
  }
}

std::string FakeAgentAdmin::address() const {
  return "unix://" + front_->address().substr(5);
}

void FakeAgentAdmin::Tell(AgentInfoAnswer answer) {
  const MutexLock lock(service_->mutex);
  service_->answer = std::move(answer);
}

void FakeAgentAdmin::Fail(Code code, const std::string& message) {
  service_->gate.Fail(code, message);
}

void FakeAgentAdmin::FailVerification() {
  Fail(Code::kInternal, "failed to verify agent SVID");
}

void FakeAgentAdmin::Hang(bool hang) {
  service_->gate.Hang(hang);
}

uint64_t FakeAgentAdmin::calls() const {
  return service_->calls.load(std::memory_order_relaxed);
}

}  // namespace spire_exporter::fakes
