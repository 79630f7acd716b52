#include "tests/fakes/identity/sim_agent.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "collectors/clients/spiffe/x509_svid.h"
#include "tests/fakes/identity/agent_state.h"

namespace spire_exporter::fakes {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

// Failed syncs and rotations come at growing intervals, up to this many of the first.
constexpr int kLongestWait = 24;
constexpr Duration kAskAgain = std::chrono::milliseconds(500);
constexpr Duration kFirstJoin = seconds(4);
constexpr Duration kLongestJoin = seconds(60);

std::string StatusName(Code code) {
  switch (code) {
    case Code::kOk:
      return "OK";
    case Code::kDeadlineExceeded:
      return "DeadlineExceeded";
    case Code::kInternal:
      return "Internal";
    case Code::kInvalidArgument:
      return "InvalidArgument";
    case Code::kPermissionDenied:
      return "PermissionDenied";
    default:
      return "Unavailable";
  }
}

}  // namespace

SimAgent::SimAgent(SimAgentOptions options, const Clock& clock, Servers* servers,
                   AgentEvents* events)
    : options_(std::move(options)),
      clock_(clock),
      servers_(servers),
      events_(events),
      random_(options_.seed),
      roots_(options_.bootstrap_roots),
      svids_(options_.entries.size()),
      due_(options_.entries.size()) {
  Recall();
  join_.due = sync_.due = rotate_.due = clock_.Steady();
}

sys_seconds SimAgent::Now() const {
  return std::chrono::floor<seconds>(clock_.System());
}

// At half of its life, give or take a tenth, which each draws for itself.
SystemTime SimAgent::RenewalOf(const Svid& svid) {
  const double life = Seconds(svid.not_after - svid.not_before);
  const double share = 0.45 + 0.1 * random_.Uniform();
  return svid.not_before + std::chrono::milliseconds(static_cast<int64_t>(1000 * life * share));
}

void SimAgent::Later(Retry* retry, Duration first, Duration longest) {
  // Grows by half, drawn a tenth longer or shorter.
  retry->wait = retry->wait == Duration::zero() ? first : std::min(retry->wait * 3 / 2, longest);
  const double drawn = Seconds(retry->wait) * (0.9 + 0.2 * random_.Uniform());
  retry->due = clock_.Steady() + std::chrono::milliseconds(static_cast<int64_t>(drawn * 1000));
}

bool SimAgent::Step() {
  const SteadyTime now = clock_.Steady();
  if (!ready_) {
    if (now >= join_.due && !Join()) Later(&join_, kFirstJoin, kLongestJoin);
    return true;
  }
  if (now >= rotate_.due && !Rotate()) return false;
  if (now >= sync_.due) return Sync();
  if (!refused_.empty() && now >= ask_again_) AskAgain();
  return true;
}

SteadyTime SimAgent::next() const {
  if (!ready_) return join_.due;
  const SteadyTime due = std::min(sync_.due, rotate_.due);
  return refused_.empty() ? due : std::min(due, ask_again_);
}

// The start: by the SVID that was kept, else by attestation; then the first sync must succeed.
bool SimAgent::Join() {
  const bool kept = own_ && own_->not_after > Now();
  const Result<ReachedServer> server = servers_->Reach(roots_, options_.server_timeout);
  if (!kept) {
    std::string status = server.ok() ? "OK" : StatusName(server.error().code);
    // A token is good once.
    const bool spent = options_.attestor == Attestor::kJoinToken && token_used_;
    if (server.ok() && spent) status = "InvalidArgument";
    events_->Rotated(options_.attestor, status, true);
    if (status != "OK") return false;
    token_used_ = true;
    Take(server.value());
    TakeOwn(server.value().authority->SignAgent(options_.name, Now(), options_.agent_ttl));
  }
  if (!server.ok()) {
    SyncStory story;
    story.entries_status = StatusName(server.error().code);
    events_->Synced(story);
    return false;
  }
  ready_ = true;
  sync_.due = rotate_.due = clock_.Steady();
  return Sync();
}

void SimAgent::TakeOwn(Svid svid) {
  events_->Issued("agent", svid);
  own_due_ = RenewalOf(svid);
  own_ = std::move(svid);
  Save();
  events_->Changed();
}

bool SimAgent::Rotate() {
  if (clock_.System() < own_due_) {
    rotate_ = {clock_.Steady() + options_.sync_interval};
    return true;
  }
  // An agent whose SVID is over has nothing to be known by, unless it can attest again.
  const bool over = own_->not_after <= Now();
  Result<ReachedServer> server = servers_->Reach(roots_, options_.server_timeout);
  if (server.ok() && over && options_.attestor == Attestor::kJoinToken) {
    server = Error{Code::kUnavailable, "the agent's certificate has expired", {}};
  }
  if (server.ok()) {
    const Status signing = servers_->Sign(*server.value().authority, options_.server_timeout);
    if (!signing.ok()) server = signing.error();
  }
  events_->Rotated(options_.attestor, server.ok() ? "OK" : StatusName(server.error().code), false);
  if (!server.ok()) {
    if (own_->not_after <= Now()) return false;
    Later(&rotate_, options_.sync_interval, options_.sync_interval * kLongestWait);
    return true;
  }
  Take(server.value());
  TakeOwn(server.value().authority->SignAgent(options_.name, Now(), options_.agent_ttl));
  rotate_ = {clock_.Steady() + options_.sync_interval};
  return true;
}

void SimAgent::Take(const ReachedServer& server) {
  if (roots_ == server.roots && jwks_ == server.jwks) return;
  roots_ = server.roots;
  jwks_ = server.jwks;
  Save();
  events_->Changed();
}

bool SimAgent::Sync() {
  SyncStory story;
  story.total = options_.entries.size();
  Result<ReachedServer> server = servers_->Reach(roots_, options_.server_timeout);
  if (server.ok() && own_->not_after <= Now()) {
    server = Error{Code::kUnavailable, "the agent's certificate has expired", {}};
  }
  if (server.ok()) {
    Take(server.value());
    Renew(server.value(), &story);
  } else {
    story.entries_status = StatusName(server.error().code);
  }
  events_->Synced(story);
  if (story.entries_status == "OK" && story.svids_status == "OK") {
    last_sync_ = Now();
    sync_ = {clock_.Steady() + options_.sync_interval};
  } else {
    Later(&sync_, options_.sync_interval, options_.sync_interval * kLongestWait);
  }
  events_->Changed();
  // SPIRE 1.15.3 ends then and there, unless it may rebootstrap.
  return server.ok() || server.error().code != Code::kUnauthenticated;
}

void SimAgent::Renew(const ReachedServer& server, SyncStory* story) {
  std::vector<size_t> wanted;
  for (size_t i = 0; i < svids_.size(); ++i) {
    if (svids_[i].chain.empty()) {
      ++story->added;
    } else if (clock_.System() >= due_[i]) {
      ++story->expiring;
    } else {
      continue;
    }
    wanted.push_back(i);
  }
  refused_.clear();
  if (wanted.empty()) return;
  const Status issued = Issue(server, wanted);
  if (!issued.ok()) story->svids_status = StatusName(issued.error().code);
}

void SimAgent::AskAgain() {
  const Result<ReachedServer> server = servers_->Reach(roots_, options_.server_timeout);
  const std::vector<size_t> wanted = std::exchange(refused_, {});
  // Without a server the next sync tells.
  if (!server.ok() || !Issue(server.value(), wanted).ok()) return;
  events_->Retried();
  events_->Changed();
}

// A server that refuses to sign answers for each by itself, which makes the call a success.
Status SimAgent::Issue(const ReachedServer& server, const std::vector<size_t>& wanted) {
  const Status signing = servers_->Sign(*server.authority, options_.server_timeout);
  if (!signing.ok() && signing.error().code != Code::kInternal) return signing;
  if (!signing.ok()) {
    refused_ = wanted;
    ask_again_ = clock_.Steady() + kAskAgain;
    return {};
  }
  for (const size_t i : wanted) {
    svids_[i] = server.authority->Sign(
        "spiffe://" + options_.trust_domain + '/' + options_.entries[i], Now(), options_.svid_ttl);
    due_[i] = RenewalOf(svids_[i]);
    events_->Issued("workload", svids_[i]);
  }
  return {};
}

bool SimAgent::OwnVerifies() const {
  if (!own_) return false;
  const auto chain = spiffe::SplitCertificates(own_->chain);
  return chain.ok() &&
         spiffe::VerifyX509Svid(chain.value(), roots_, clock_.System()) == spiffe::Verdict::kGood;
}

std::optional<sys_seconds> SimAgent::FirstExpiry() const {
  std::optional<sys_seconds> first;
  for (const Svid& svid : svids_) {
    if (!svid.chain.empty() && (!first || svid.not_after < *first)) first = svid.not_after;
  }
  return first;
}

void SimAgent::Save() const {
  if (options_.state_file.empty()) return;
  static_cast<void>(SaveAgentState(options_.state_file, {own_, roots_, jwks_, token_used_}));
}

void SimAgent::Recall() {
  if (options_.state_file.empty()) return;
  Result<AgentState> state = LoadAgentState(options_.state_file);
  if (!state.ok()) return;
  token_used_ = state.value().token_used;
  if (!state.value().roots.empty()) roots_ = state.value().roots;
  jwks_ = state.value().jwks;
  own_ = state.value().own;
  if (own_) own_due_ = RenewalOf(*own_);
}

}  // namespace spire_exporter::fakes
