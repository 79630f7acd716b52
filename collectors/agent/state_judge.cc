#include "collectors/agent/state_judge.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>

namespace spire_exporter::agent {
namespace {

using spire::UnixTime;
using std::chrono::minutes;
using std::chrono::seconds;

// The agent keeps an answer of its admin socket for 5 s, and we ask every 5 s.
constexpr Duration kAnswerAge = seconds(5);
constexpr Duration kSlack = seconds(10);
// A call of a sync may hang this long before it fails.
constexpr Duration kCallTimeout = seconds(30);
constexpr Duration kLongestWait = minutes(8);
// A renewal tells the lifetime only when it was seen at once.
constexpr Duration kSeenAtOnce = seconds(30);
// Uptime comes in whole seconds, from up to 5 s ago.
constexpr seconds kSameStart{8};
constexpr seconds kLongestLife{int64_t{100} * 366 * 86'400};

std::string_view AdminState(const std::optional<Result<spire::AgentInfo>>& admin) {
  if (!admin) return "off";
  if (admin->ok()) return "ok";
  switch (admin->error().code) {
    case Code::kInternal:
      return "svid_unverified";
    case Code::kDeadlineExceeded:
      return "timeout";
    case Code::kUnavailable:
    case Code::kNotFound:
      return "unreachable";
    case Code::kPermissionDenied:
    case Code::kUnauthenticated:
      return "denied";
    default:
      return "failed";
  }
}

UnixTime Whole(SystemTime time) {
  return std::chrono::floor<seconds>(time);
}

// How long until then; negative once it has passed. In nanoseconds a century is much, and dates may
// be of any.
Duration Until(UnixTime time, SystemTime wall) {
  const UnixTime whole = Whole(wall);
  return Duration(std::clamp(time - whole, -kLongestLife, kLongestLife)) - (wall - whole);
}

// The newer of two times of one event, but for one that lies ahead: from before the clock was set
// back.
std::optional<UnixTime> Newer(std::optional<UnixTime> a, std::optional<UnixTime> b,
                              SystemTime wall) {
  if (!a || !b) return a ? a : b;
  const UnixTime now = Whole(wall);
  if ((*a > now) != (*b > now)) return *a > now ? b : a;
  return std::max(a, b);
}

double Ratio(Duration part, Duration whole) {
  return Seconds(part) / Seconds(whole);
}

}  // namespace

std::string_view SourceName(Source source) {
  switch (source) {
    case Source::kAdminSocket:
      return "admin_socket";
    case Source::kTelemetry:
      return "telemetry";
    case Source::kKept:
      return "kept";
    case Source::kNone:
      break;
  }
  return "none";
}

Duration SyncWait(Duration interval, uint64_t failures) {
  const Duration longest = std::max(interval, std::min(kLongestWait, interval * 48));
  const double wait =
      Seconds(interval) * std::pow(1.5, static_cast<double>(std::min<uint64_t>(failures, 64)));
  if (wait >= Seconds(longest)) return longest;
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(wait));
}

void StateJudge::TakeAdmin(const spire::AgentInfo& info, SteadyTime now, SystemTime wall) {
  const bool chain = !info.svid_chain_expiry.empty();
  if (info_ && chain && !info_->svid_chain_expiry.empty() && now - *info_at_ <= kSeenAtOnce &&
      info.svid_chain_expiry.front() > info_->svid_chain_expiry.front()) {
    const seconds lifetime = info.svid_chain_expiry.front() - Whole(wall);
    if (lifetime > seconds(0)) lifetime_ = lifetime;
  }
  if (info.uptime >= seconds(0) && info.uptime <= kLongestLife) {
    const UnixTime start = Whole(wall) - info.uptime;
    // An answer that was kept makes the start look late.
    const bool same = admin_start_ && start >= *admin_start_ && start - *admin_start_ <= kSameStart;
    if (!same) admin_start_ = start;
  } else {
    admin_start_.reset();
  }
  info_ = info;
  info_at_ = now;
  info_wall_ = wall;
}

void StateJudge::JudgeSync(const Sources& sources, SteadyTime now, SystemTime wall,
                           StateView& view) {
  const bool fresh = sources.admin && sources.admin->ok();
  const spire::AgentTelemetryFact* const telemetry = sources.telemetry.get();
  const std::optional<UnixTime> asked = info_ ? info_->last_sync_success : std::nullopt;
  const std::optional<UnixTime> heard = heard_ ? heard_->last_sync : std::nullopt;
  // An answer of the socket may be of ten seconds ago, and telemetry of two.
  const std::optional<UnixTime> last = Newer(asked, heard, wall);
  if (fresh && (asked || telemetry == nullptr)) {
    view.sync_source = Source::kAdminSocket;
  } else if (telemetry != nullptr) {
    view.sync_source = Source::kTelemetry;
  } else if (last) {
    view.sync_source = Source::kKept;
  }
  if (last && last != last_sync_) {
    Duration age = std::max(-Until(*last, wall), Duration::zero());
    // It was not there in the round before.
    if (last_sync_ && last_round_) age = std::min(age, now - *last_round_ + kAnswerAge);
    synced_ = now - std::chrono::duration_cast<SteadyTime::duration>(age);
  }
  if (last) last_sync_ = last;
  view.last_sync = last;
  if (telemetry != nullptr) view.failures = telemetry->failed_syncs;
  if (!fresh && telemetry == nullptr) return;

  if (!first_) first_ = now;
  const uint64_t failures = view.failures.value_or(0);
  if (telemetry != nullptr) view.next_wait = SyncWait(sources.sync_interval, failures);
  const Duration gap = now - (last ? synced_ : *first_);
  if (last) view.gap_ratio = Ratio(gap, sources.sync_interval);
  const Duration longest = SyncWait(sources.sync_interval, 64) * 11 / 10 + kCallTimeout + kSlack;
  if (failures > 0) {
    view.sync = "failing";
  } else if (!last) {
    view.sync = fresh && telemetry == nullptr ? "never" : gap > longest ? "stalled" : "unknown";
  } else if (gap > longest) {
    view.sync = "stalled";
  } else {
    view.sync = gap > sources.sync_interval * 2 + kSlack ? "late" : "current";
  }
}

void StateJudge::JudgeCaches(bool fresh, bool speaks, StateView& view) const {
  if (info_) {
    view.x509 = info_->cached_x509_svids;
    view.jwt = info_->cached_jwt_svids;
    view.svidstore = info_->cached_svidstore_svids;
    view.cache_source = fresh ? Source::kAdminSocket : Source::kKept;
  }
  if (!heard_) return;
  const bool newer = !fresh && (speaks || !info_at_ || *heard_at_ > *info_at_);
  if (newer && heard_->cached_x509_svids) {
    view.x509 = heard_->cached_x509_svids;
    view.cache_source = speaks ? Source::kTelemetry : Source::kKept;
  }
  // Agents that do not tell on the socket may tell in their telemetry.
  if ((newer || !view.jwt) && heard_->cached_jwt_svids) view.jwt = heard_->cached_jwt_svids;
}

void StateJudge::JudgeSvid(bool fresh, SystemTime wall, StateView& view) const {
  if (!info_ || info_->svid_chain_expiry.empty()) return;
  view.svid_source = fresh ? Source::kAdminSocket : Source::kKept;
  view.svid_expiry = info_->svid_chain_expiry.front();
  if (!lifetime_) return;
  const Duration left = std::max(Until(*view.svid_expiry, wall), Duration::zero());
  view.svid_remaining_ratio = Ratio(left, *lifetime_);
}

void StateJudge::JudgeStart(bool fresh, bool speaks, StateView& view) const {
  const std::optional<UnixTime> heard = heard_ ? heard_->started : std::nullopt;
  if (fresh && admin_start_) {
    view.started = admin_start_;
    view.start_source = Source::kAdminSocket;
  } else if (speaks && heard) {
    view.started = heard;
    view.start_source = Source::kTelemetry;
  } else if (admin_start_ || heard) {
    view.started = std::max(admin_start_, heard);
    view.start_source = Source::kKept;
  }
}

StateView StateJudge::Judge(const Sources& sources, SteadyTime now, SystemTime wall) {
  StateView view;
  view.admin = AdminState(sources.admin);
  const bool fresh = sources.admin && sources.admin->ok();
  if (fresh) TakeAdmin(**sources.admin, now, wall);
  view.admin_last = info_wall_;
  const bool speaks = sources.telemetry != nullptr;
  if (speaks) {
    heard_ = *sources.telemetry;
    heard_at_ = now;
  }
  JudgeSync(sources, now, wall, view);
  JudgeCaches(fresh, speaks, view);
  JudgeSvid(fresh, wall, view);
  JudgeStart(fresh, speaks, view);
  if (speaks && sources.telemetry->bootstrapped) {
    view.bootstrap = *sources.telemetry->bootstrapped     ? "done"
                     : sources.telemetry->rebootstrapping ? "rebootstrapping"
                                                          : "bootstrapping";
  }
  if (view.sync_source == Source::kAdminSocket || view.sync_source == Source::kTelemetry) {
    view.sync_fact.emplace();
    view.sync_fact->last_success = view.last_sync;
    view.sync_fact->cached_x509_svids = view.x509;
    view.sync_fact->source = SourceName(view.sync_source);
  }
  if (view.svid_source == Source::kAdminSocket) {
    view.horizon.emplace();
    view.horizon->groups = {{*view.svid_expiry, 1}};
    view.horizon->whole = true;
  }
  last_round_ = now;
  return view;
}

}  // namespace spire_exporter::agent
