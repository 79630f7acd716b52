#include "tests/fakes/identity/server_port.h"

#include <grpcpp/client_context.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/server_builder.h>

#include <atomic>
#include <charconv>
#include <string_view>
#include <utility>

#include "collectors/clients/spire/rpc/bundle.grpc.pb.h"
#include "exporter/base/mutex.h"
#include "tests/fakes/identity/grpc_gate.h"

namespace spire_exporter::fakes {
namespace {

void Write(const BundleAnswer& from, wire::BundleMessage* to) {
  to->set_trust_domain(from.trust_domain);
  for (const BundleAnswer::X509& authority : from.x509) {
    wire::X509AuthorityMessage* const message = to->add_x509_authorities();
    message->set_asn1(authority.der);
    message->set_tainted(authority.tainted);
  }
  if (from.padding > 0) to->add_x509_authorities()->set_asn1(std::string(from.padding, 'x'));
  for (const BundleAnswer::Jwt& key : from.jwt) {
    wire::KeyAuthorityMessage* const message = to->add_jwt_authorities();
    message->set_key_id(key.key_id);
    message->set_expires_at(key.not_after.time_since_epoch().count());
    message->set_tainted(key.tainted);
  }
  to->set_refresh_hint(from.refresh_hint.count());
  to->set_sequence_number(from.sequence_number);
}

class Denier final : public grpc::CallbackGenericService {
 public:
  uint64_t denied() const { return denied_.load(std::memory_order_relaxed); }

 private:
  class Reactor final : public grpc::ServerGenericBidiReactor {
   public:
    explicit Reactor(const std::string& method) {
      Finish(grpc::Status(grpc::StatusCode::PERMISSION_DENIED,
                          "authorization denied for method " + method));
    }
    void OnDone() override { delete this; }
  };
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    denied_.fetch_add(1, std::memory_order_relaxed);
    return new Reactor(context->method());
  }

  std::atomic<uint64_t> denied_{0};  // relaxed: a lone number
};

}  // namespace

BundleAnswer BundleAnswer::Of(const std::vector<const Authority*>& authorities) {
  BundleAnswer answer;
  for (const Authority* const authority : authorities) {
    answer.trust_domain = authority->trust_domain();
    answer.x509.push_back({authority->root()});
    answer.jwt.push_back({authority->jwt_key().id, authority->not_after()});
  }
  return answer;
}

struct FakeServerPort::Service final : ::spire::api::server::bundle::v1::Bundle::Service {
  grpc::Status GetBundle(grpc::ServerContext* context, const wire::EmptyRequest*,
                         wire::BundleMessage* answer) override {
    asked.fetch_add(1, std::memory_order_relaxed);
    const grpc::Status passed = Pass(gate, *context);
    if (!passed.ok()) return passed;
    const MutexLock lock(mutex);
    Write(bundle, answer);
    return grpc::Status::OK;
  }

  Gate gate;
  Denier denier;
  std::atomic<uint64_t> asked{0};  // relaxed: a lone number
  Mutex mutex;
  BundleAnswer bundle GUARDED_BY(mutex);
};

FakeServerPort::FakeServerPort() : service_(std::make_unique<Service>()) {}

Result<std::unique_ptr<FakeServerPort>> FakeServerPort::Start(const std::string& address,
                                                              const Svid& identity,
                                                              BundleAnswer bundle) {
  std::unique_ptr<FakeServerPort> fake(new FakeServerPort());
  fake->Serve(std::move(bundle));
  grpc::ServerBuilder builder;
  builder.RegisterService(fake->service_.get());
  builder.RegisterCallbackGenericService(&fake->service_->denier);
  fake->server_ = builder.BuildAndStart();
  if (!fake->server_) return Error{Code::kInternal, "gRPC does not start", {}};
  Result<std::unique_ptr<WireFront>> front = WireFront::Start(address, fake->server_.get());
  if (!front.ok()) return std::move(front).error();
  fake->front_ = std::move(front).value();
  fake->Show(identity);
  return fake;
}

FakeServerPort::~FakeServerPort() {
  if (front_) static_cast<void>(front_->Fail(WireFault::kRefuse));
  service_->gate.Close();
  if (server_) {
    server_->Shutdown(std::chrono::system_clock::time_point());
    server_->Wait();
  }
}

uint16_t FakeServerPort::port() const {
  const std::string& text = address();
  uint16_t port = 0;
  std::from_chars(text.data() + text.rfind(':') + 1, text.data() + text.size(), port);
  return port;
}

void FakeServerPort::Serve(BundleAnswer bundle) {
  const MutexLock lock(service_->mutex);
  service_->bundle = std::move(bundle);
}

void FakeServerPort::FailBundle(Code code, const std::string& message) {
  service_->gate.Fail(code, message);
}

void FakeServerPort::HangBundle(bool hang) {
  service_->gate.Hang(hang);
}

Code FakeServerPort::Ask(const std::string& method) {
  const auto channel = server_->InProcessChannel(grpc::ChannelArguments());
  grpc::TemplatedGenericStub<wire::EmptyRequest, wire::EmptyRequest> stub(channel);
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareUnaryCall(&context, method, wire::EmptyRequest(), &queue);
  call->StartCall();
  wire::EmptyRequest answer;
  grpc::Status status;
  call->Finish(&answer, &status, nullptr);
  void* tag = nullptr;
  bool good = false;
  queue.Next(&tag, &good);
  return static_cast<Code>(status.error_code());
}

uint64_t FakeServerPort::bundles_asked() const {
  return service_->asked.load(std::memory_order_relaxed);
}

uint64_t FakeServerPort::denied() const {
  return service_->denier.denied();
}

}  // namespace spire_exporter::fakes
