#include "tests/fakes/identity/agent_node.h"

#include <algorithm>

#include "exporter/base/thread.h"

namespace spire_exporter::fakes {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr size_t kTokensKept = 1000;

sys_seconds WholeSeconds(const Clock& clock) {
  return std::chrono::floor<seconds>(clock.System());
}

std::string_view AttestorName(Attestor attestor) {
  return attestor == Attestor::kJoinToken ? "join_token" : "x509pop";
}

}  // namespace

AgentNode::AgentNode(AgentNodeOptions options, const Clock& clock, Servers* servers,
                     OnIssued issued)
    : options_(std::move(options)),
      clock_(clock),
      servers_(servers),
      issued_(std::move(issued)),
      started_(clock.Steady()),
      agent_(options_.agent, clock, servers, this),
      thread_([this](const std::stop_token& stop) {
        NameThisThread("sim-agent");
        Run(stop);
      }) {}

AgentNode::~AgentNode() {
  thread_.request_stop();
  thread_.join();
}

void AgentNode::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const bool alive = agent_.Step();
    if (!alive || (agent_.ready() && !ready() && !OpenSockets().ok())) break;
    if (ready()) Publish();
    const Duration left = Deadline(agent_.next()).Remaining(clock_);
    std::unique_lock<std::mutex> lock(waiting_);
    wake_.wait_for(lock, stop, std::min<Duration>(left, seconds(1)), [] { return false; });
  }
  std::shared_ptr<FakeAgentSocket> workload;
  std::shared_ptr<FakeAgentAdmin> admin;
  {
    const MutexLock lock(mutex_);
    workload.swap(workload_);
    admin.swap(admin_);
  }
  // Outside of the mutex: they wait for their calls, which take it.
  workload.reset();
  admin.reset();
  ended_.store(true, std::memory_order_release);
}

Status AgentNode::OpenSockets() {
  std::shared_ptr<FakeAgentSocket> workload;
  std::shared_ptr<FakeAgentAdmin> admin;
  if (!options_.workload_socket.empty()) {
    Result<std::unique_ptr<FakeAgentSocket>> opened =
        FakeAgentSocket::Start(options_.workload_socket);
    if (!opened.ok()) return std::move(opened).error();
    workload = std::move(opened).value();
    workload->SignWith([this](const std::string& audience, const std::string& wanted) {
      return Tokens(audience, wanted);
    });
  }
  if (!options_.admin_socket.empty()) {
    Result<std::unique_ptr<FakeAgentAdmin>> opened = FakeAgentAdmin::Start(options_.admin_socket);
    if (!opened.ok()) return std::move(opened).error();
    admin = std::move(opened).value();
  }
  {
    const MutexLock lock(mutex_);
    workload_ = std::move(workload);
    admin_ = std::move(admin);
  }
  Publish();
  ready_.store(true, std::memory_order_release);
  return {};
}

void AgentNode::Publish() {
  std::shared_ptr<FakeAgentAdmin> admin;
  std::shared_ptr<FakeAgentSocket> workload;
  {
    const MutexLock lock(mutex_);
    admin = admin_;
    workload = workload_;
    roots_ = agent_.roots();
  }
  if (admin) PublishInfo(admin.get());
  if (!workload) return;
  std::string content = agent_.jwks();
  for (const std::string& root : agent_.roots()) content += root;
  for (const Svid& svid : agent_.svids()) content += svid.chain;
  if (content == published_) return;
  published_ = std::move(content);
  workload->Serve(Answer());
}

void AgentNode::PublishInfo(FakeAgentAdmin* admin) {
  AgentInfoAnswer info;
  info.svid_chain_expiry = {agent_.own()->not_after};
  info.uptime = std::chrono::duration_cast<seconds>(clock_.Steady() - started_);
  info.last_sync_success = agent_.last_sync().value_or(sys_seconds());
  for (const Svid& svid : agent_.svids()) info.cached_x509_svids += svid.chain.empty() ? 0 : 1;
  {
    const MutexLock lock(mutex_);
    info.cached_jwt_svids = static_cast<int32_t>(tokens_.size());
  }
  admin->Tell(std::move(info));
  if (agent_.OwnVerifies()) {
    admin->Fail(Code::kOk, "");
  } else {
    admin->FailVerification();
  }
}

WorkloadAnswer AgentNode::Answer() const {
  WorkloadAnswer answer;
  std::string roots;
  for (const std::string& root : agent_.roots()) roots += root;
  const std::string own = "spiffe://" + options_.agent.trust_domain;
  for (const std::string& path : options_.served) {
    for (const Svid& svid : agent_.svids()) {
      if (svid.spiffe_id == own + '/' + path) answer.entries.push_back({svid, roots, ""});
    }
  }
  answer.x509_bundles[own] = roots;
  answer.jwt_bundles[own] = agent_.jwks();
  return answer;
}

Result<std::vector<JwtAnswer>> AgentNode::Tokens(const std::string& audience,
                                                 const std::string& wanted) {
  std::vector<JwtAnswer> tokens;
  for (const std::string& path : options_.served) {
    const std::string id = "spiffe://" + options_.agent.trust_domain + '/' + path;
    if (!wanted.empty() && wanted != id) continue;
    Result<JwtAnswer> token = Token(id, audience);
    const std::string status = token.ok() ? "OK" : "Unavailable";
    size_t cached = 0;
    {
      const MutexLock lock(mutex_);
      cached = tokens_.size();
    }
    Tell([status, cached](Player* player) { PlayToken(player, status, cached); });
    if (!token.ok()) return std::move(token).error();
    tokens.push_back(std::move(token).value());
  }
  if (tokens.empty()) Tell([](Player* player) { PlayToken(player, "PermissionDenied", 0); });
  return tokens;
}

// From the cache in the first half of its life; from there as well when no server signs another.
Result<JwtAnswer> AgentNode::Token(const std::string& id, const std::string& audience) {
  const sys_seconds now = WholeSeconds(clock_);
  std::vector<std::string> roots;
  Cached held;
  {
    const MutexLock lock(mutex_);
    const auto found = tokens_.find({id, audience});
    if (found != tokens_.end()) held = found->second;
    roots = roots_;
  }
  if (held.not_after - now > options_.jwt_ttl / 2) return JwtAnswer{id, held.token, ""};
  Result<ReachedServer> server = servers_->Reach(roots, options_.agent.server_timeout);
  if (server.ok()) {
    const Status signing = servers_->Sign(*server.value().authority, options_.agent.server_timeout);
    if (!signing.ok()) server = signing.error();
  }
  if (!server.ok()) {
    if (held.not_after > now) return JwtAnswer{id, held.token, ""};
    return Error{Code::kUnavailable, "could not fetch JWT-SVID: " + server.error().what, {}};
  }
  const sys_seconds signed_at = WholeSeconds(clock_);
  Cached fresh{server.value().authority->SignJwt(id, audience, signed_at, options_.jwt_ttl),
               signed_at + options_.jwt_ttl};
  {
    const std::lock_guard<std::mutex> lock(issuing_);
    issued_("jwt", id, fresh.not_after);
  }
  const MutexLock lock(mutex_);
  if (tokens_.size() >= kTokensKept) tokens_.erase(tokens_.begin());
  tokens_.insert_or_assign({id, audience}, fresh);
  return JwtAnswer{id, fresh.token, ""};
}

void AgentNode::Synced(const SyncStory& story) {
  Tell([story](Player* player) { PlaySync(player, story); });
}

void AgentNode::Retried() {
  Tell([held = options_.agent.entries.size()](Player* player) { PlayRetry(player, held); });
}

void AgentNode::Rotated(Attestor attestor, std::string_view status, bool first) {
  Tell([attestor, text = std::string(status), first](Player* player) {
    if (first || attestor == Attestor::kX509Pop) {
      PlayAttestation(player, AttestorName(attestor), text);
    }
    if (!first) PlayRotation(player, text);
  });
}

void AgentNode::Changed() {
  if (ready()) Publish();
}

void AgentNode::Issued(std::string_view kind, const Svid& svid) {
  const std::lock_guard<std::mutex> lock(issuing_);
  issued_(kind, svid.spiffe_id, svid.not_after);
}

void AgentNode::Tell(std::function<void(Player*)> story) {
  const MutexLock lock(mutex_);
  stories_.push_back(std::move(story));
}

std::vector<std::function<void(Player*)>> AgentNode::TakeStories() {
  const MutexLock lock(mutex_);
  return std::exchange(stories_, {});
}

std::shared_ptr<FakeAgentSocket> AgentNode::workload_socket() const {
  const MutexLock lock(mutex_);
  return workload_;
}

}  // namespace spire_exporter::fakes
