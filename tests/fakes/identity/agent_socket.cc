#include "tests/fakes/identity/agent_socket.h"

#include <grpcpp/server_builder.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <optional>
#include <utility>

#include "collectors/clients/spire/rpc/workload.grpc.pb.h"
#include "exporter/base/mutex.h"
#include "tests/fakes/identity/grpc_gate.h"

namespace spire_exporter::fakes {
namespace {

constexpr size_t kAudiencesKept = 1000;
// How often an idle stream looks whether its peer is still there.
constexpr std::chrono::milliseconds kLookAtPeer{20};

const grpc::Status& NoIdentity() {
  static const grpc::Status status(grpc::StatusCode::PERMISSION_DENIED, "no identity issued");
  return status;
}

void Write(const WorkloadAnswer& from, wire::X509SvidResponse* to) {
  for (const WorkloadAnswer::Entry& entry : from.entries) {
    wire::X509SvidMessage* const message = to->add_svids();
    message->set_spiffe_id(entry.svid.spiffe_id);
    message->set_x509_svid(entry.svid.chain);
    message->set_x509_svid_key(entry.svid.key);
    message->set_bundle(entry.bundle + std::string(from.padding, 'x'));
    message->set_hint(entry.hint);
  }
  for (const auto& [trust_domain, bundle] : from.federated_bundles) {
    wire::NamedBundle* const named = to->add_federated_bundles();
    named->set_trust_domain(trust_domain);
    named->set_bundle(bundle);
  }
}

void Write(const std::map<std::string, std::string>& from,
           google::protobuf::RepeatedPtrField<wire::NamedBundle>* to) {
  for (const auto& [trust_domain, bundle] : from) {
    wire::NamedBundle* const named = to->Add();
    named->set_trust_domain(trust_domain);
    named->set_bundle(bundle);
  }
}

void Write(const WorkloadAnswer& from, wire::X509BundlesResponse* to) {
  Write(from.x509_bundles, to->mutable_bundles());
}

void Write(const WorkloadAnswer& from, wire::JwtBundlesResponse* to) {
  Write(from.jwt_bundles, to->mutable_bundles());
}

}  // namespace

WorkloadAnswer WorkloadAnswer::Of(const Authority& authority, std::vector<Svid> svids) {
  WorkloadAnswer answer;
  for (Svid& svid : svids) answer.entries.push_back({std::move(svid), authority.root(), ""});
  const std::string own = "spiffe://" + authority.trust_domain();
  answer.x509_bundles[own] = authority.root();
  answer.jwt_bundles[own] = authority.Jwks();
  return answer;
}

struct FakeAgentSocket::Service final : SpiffeWorkloadAPI::Service {
  grpc::Status FetchX509SVID(grpc::ServerContext* context, const wire::EmptyRequest*,
                             grpc::ServerWriter<wire::X509SvidResponse>* writer) override {
    return Stream(context, AgentMethod::kX509Svid, writer);
  }
  grpc::Status FetchX509Bundles(grpc::ServerContext* context, const wire::EmptyRequest*,
                                grpc::ServerWriter<wire::X509BundlesResponse>* writer) override {
    return Stream(context, AgentMethod::kX509Bundles, writer);
  }
  grpc::Status FetchJWTBundles(grpc::ServerContext* context, const wire::EmptyRequest*,
                               grpc::ServerWriter<wire::JwtBundlesResponse>* writer) override {
    return Stream(context, AgentMethod::kJwtBundles, writer);
  }

  grpc::Status FetchJWTSVID(grpc::ServerContext* context, const wire::JwtSvidRequest* request,
                            wire::JwtSvidResponse* response) override {
    const grpc::Status entered = Enter(*context, AgentMethod::kJwtSvid);
    if (!entered.ok()) return entered;
    if (request->audience_size() == 0) {
      return {grpc::StatusCode::INVALID_ARGUMENT, "audience must be specified"};
    }
    JwtSigner signing;
    {
      const MutexLock lock(mutex);
      audiences.push_back(request->audience(0));
      if (audiences.size() > kAudiencesKept) audiences.pop_front();
      signing = signer;
    }
    if (!signing) return {grpc::StatusCode::UNAVAILABLE, "could not fetch JWT-SVID"};
    const Result<std::vector<JwtAnswer>> tokens =
        signing(request->audience(0), request->spiffe_id());
    if (!tokens.ok()) {
      return {static_cast<grpc::StatusCode>(tokens.error().code), tokens.error().what};
    }
    if (tokens.value().empty()) return NoIdentity();
    for (const JwtAnswer& token : tokens.value()) {
      wire::JwtSvidMessage* const message = response->add_svids();
      message->set_spiffe_id(token.spiffe_id);
      message->set_svid(token.token);
      message->set_hint(token.hint);
    }
    return grpc::Status::OK;
  }

  // What comes before every method.
  grpc::Status Enter(const grpc::ServerContext& context, AgentMethod method) {
    const auto& metadata = context.client_metadata();
    const auto header = metadata.find("workload.spiffe.io");
    if (header == metadata.end() || header->second != "true") {
      unmeant.fetch_add(1, std::memory_order_relaxed);
      return {grpc::StatusCode::INVALID_ARGUMENT, "security header missing from request"};
    }
    calls[static_cast<size_t>(method)].fetch_add(1, std::memory_order_relaxed);
    return Pass(gate, context);
  }

  template <typename Response>
  grpc::Status Stream(grpc::ServerContext* context, AgentMethod method,
                      grpc::ServerWriter<Response>* writer) {
    const grpc::Status entered = Enter(*context, method);
    if (!entered.ok()) return entered;
    const bool x509 = method == AgentMethod::kX509Svid;
    if (x509) streams.fetch_add(1, std::memory_order_relaxed);
    const grpc::Status ended = Push(context, x509, writer);
    if (x509) streams.fetch_sub(1, std::memory_order_relaxed);
    return ended;
  }

  // One message, and one for every change that follows.
  template <typename Response>
  grpc::Status Push(grpc::ServerContext* context, bool x509, grpc::ServerWriter<Response>* writer) {
    uint64_t sent = 0;
    while (true) {
      const grpc::Status passed = Pass(gate, *context);
      if (!passed.ok()) return passed;
      const std::optional<WorkloadAnswer> next = AwaitChange(context, &sent);
      if (context->IsCancelled()) return grpc::Status::CANCELLED;
      if (!next) continue;  // to the gate, which says how it fails
      // A caller without an entry is told so, and its stream ends.
      if (next->entries.empty()) return NoIdentity();
      Response response;
      Write(*next, &response);
      if (x509 && TakeDeath()) front->CutAfter(response.ByteSizeLong() / 2);
      if (!writer->Write(response)) return grpc::Status::CANCELLED;
    }
  }

  // What is served once that is another version than `sent`; nothing when the stream is to ask the
  // gate again.
  std::optional<WorkloadAnswer> AwaitChange(grpc::ServerContext* context,
                                            uint64_t* sent) NO_THREAD_SAFETY_ANALYSIS {
    std::unique_lock<Mutex> lock(mutex);
    const uint64_t failing = failures;
    while (*sent == version && failing == failures && !closed && !context->IsCancelled()) {
      changed.wait_for(lock, kLookAtPeer);
    }
    if (*sent == version) return std::nullopt;
    *sent = version;
    return answer;
  }

  bool TakeDeath() {
    const MutexLock lock(mutex);
    return std::exchange(die, false);
  }

  void Change() {
    const MutexLock lock(mutex);
    ++failures;
    changed.notify_all();
  }

  Gate gate;
  WireFront* front = nullptr;
  // relaxed: lone numbers for tests to poll.
  std::array<std::atomic<uint64_t>, 4> calls{};
  std::atomic<uint64_t> unmeant{0};
  std::atomic<uint64_t> streams{0};
  Mutex mutex;
  std::condition_variable_any changed;
  WorkloadAnswer answer GUARDED_BY(mutex);
  uint64_t version GUARDED_BY(mutex) = 1;
  uint64_t failures GUARDED_BY(mutex) = 0;
  JwtSigner signer GUARDED_BY(mutex);
  std::deque<std::string> audiences GUARDED_BY(mutex);
  bool die GUARDED_BY(mutex) = false;
  bool closed GUARDED_BY(mutex) = false;
};

FakeAgentSocket::FakeAgentSocket() : service_(std::make_unique<Service>()) {}

Result<std::unique_ptr<FakeAgentSocket>> FakeAgentSocket::Start(const std::string& path) {
  std::unique_ptr<FakeAgentSocket> fake(new FakeAgentSocket());
  grpc::ServerBuilder builder;
  builder.RegisterService(fake->service_.get());
  fake->server_ = builder.BuildAndStart();
  if (!fake->server_) return Error{Code::kInternal, "gRPC does not start", {}};
  Result<std::unique_ptr<WireFront>> front = WireFront::Start("unix:" + path, fake->server_.get());
  if (!front.ok()) return std::move(front).error();
  fake->front_ = std::move(front).value();
  fake->service_->front = fake->front_.get();
  return fake;
}

FakeAgentSocket::~FakeAgentSocket() {
  if (front_) static_cast<void>(front_->Fail(WireFault::kRefuse));
  service_->gate.Close();
  {
    const MutexLock lock(service_->mutex);
    service_->closed = true;
    service_->changed.notify_all();
  }
  if (server_) {
    server_->Shutdown(std::chrono::system_clock::time_point());
    server_->Wait();
  }
}

std::string FakeAgentSocket::address() const {
  return "unix://" + front_->address().substr(5);
}

void FakeAgentSocket::Serve(WorkloadAnswer answer) {
  const MutexLock lock(service_->mutex);
  service_->answer = std::move(answer);
  ++service_->version;
  service_->changed.notify_all();
}

void FakeAgentSocket::SignWith(JwtSigner signer) {
  const MutexLock lock(service_->mutex);
  service_->signer = std::move(signer);
}

void FakeAgentSocket::SignWith(const Authority& authority, const Clock& clock,
                               std::chrono::seconds ttl) {
  SignWith([service = service_.get(), &authority, &clock, ttl](
               const std::string& audience,
               const std::string& wanted) -> Result<std::vector<JwtAnswer>> {
    std::vector<std::string> ids;
    {
      const MutexLock lock(service->mutex);
      for (const WorkloadAnswer::Entry& entry : service->answer.entries) {
        if (wanted.empty() || wanted == entry.svid.spiffe_id) ids.push_back(entry.svid.spiffe_id);
      }
    }
    const auto now = std::chrono::floor<std::chrono::seconds>(clock.System());
    std::vector<JwtAnswer> tokens;
    for (const std::string& id : ids) {
      tokens.push_back({id, authority.SignJwt(id, audience, now, ttl), ""});
    }
    return tokens;
  });
}

void FakeAgentSocket::Fail(Code code, const std::string& message) {
  service_->gate.Fail(code, message);
  service_->Change();
}

void FakeAgentSocket::Hang(bool hang) {
  service_->gate.Hang(hang);
}

void FakeAgentSocket::DieMidMessage() {
  const MutexLock lock(service_->mutex);
  service_->die = true;
}

uint64_t FakeAgentSocket::calls(AgentMethod method) const {
  return service_->calls[static_cast<size_t>(method)].load(std::memory_order_relaxed);
}

uint64_t FakeAgentSocket::unmeant() const {
  return service_->unmeant.load(std::memory_order_relaxed);
}

uint64_t FakeAgentSocket::streams() const {
  return service_->streams.load(std::memory_order_relaxed);
}

std::vector<std::string> FakeAgentSocket::audiences() const {
  const MutexLock lock(service_->mutex);
  return {service_->audiences.begin(), service_->audiences.end()};
}

}  // namespace spire_exporter::fakes
