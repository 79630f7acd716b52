#include "collectors/telemetry/agent_watch.h"

#include <algorithm>

namespace spire_exporter::telemetry {
namespace {

// SPIRE's client keeps a line for so long before it sends it.
constexpr Duration kHeldBack = std::chrono::milliseconds(100);
// A restart is noticed by a heartbeat of the new process at the latest.
constexpr Duration kStartedHeard = std::chrono::seconds(30);
// Lines under way count as missing, on a busy machine for some of the client's reports, which come
// every 10 s. What is lost meanwhile makes the ledger tell too early an end, but for a new SVID.
constexpr Duration kMissingFor = std::chrono::seconds(45);
// Above this nothing is a number of SVIDs.
constexpr double kSvidsMax = 1e6;

std::optional<uint64_t> Count(double value) {
  if (!(value >= 0 && value <= kSvidsMax)) return std::nullopt;
  return static_cast<uint64_t>(value);
}

Duration Took(double seconds) {
  if (!(seconds >= 0 && seconds <= 3600)) return Duration::zero();
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

// Counts SVIDs, not calls.
bool IsAmount(Tap tap) {
  return tap == Tap::kExpiring || tap == Tap::kOutdated;
}

// When it was, of the two clocks the one that says longer ago.
SystemTime Ago(const Instant& at, const Instant& now) {
  const auto steady = now.steady - at.steady;
  return std::min(at.system, now.system - std::chrono::duration_cast<SystemTime::duration>(steady));
}

// Of an event that took so long, when it began.
Instant Begun(const Instant& at, Duration took) {
  return {at.steady - took, at.system - std::chrono::duration_cast<SystemTime::duration>(took)};
}

}  // namespace

Instant AgentWatch::InstantOf(SteadyTime earliest) const {
  const auto ago = clock_.Steady() - earliest;
  return {earliest, clock_.System() - std::chrono::duration_cast<SystemTime::duration>(ago)};
}

void AgentWatch::StreamState::Add(bool of_file, const Ledger& ledger) {
  listening = true;
  files_only &= of_file;
  clients += ledger.clients();
  restarts += ledger.restarts();
  missing += ledger.missing_known() ? ledger.missing() : 0;
}

void AgentWatch::OnEvent(Tap tap, double value, const Arrival& arrival) {
  const MutexLock lock(mutex_);
  Apply(tap, value, InstantOf(std::min(arrival.earliest, arrival.latest) - kHeldBack),
        arrival.latest);
}

void AgentWatch::Apply(Tap tap, double value, const Instant& at, SteadyTime now) {
  const std::optional<uint64_t> count = Count(value);
  switch (tap) {
    case Tap::kStarted:
      started_ = now;
      ledger_.OnStarted(now);
      break;
    case Tap::kExpiring:
      if (count) ledger_.OnExpiring(*count, at, now);
      break;
    case Tap::kOutdated:
      if (count) ledger_.OnOutdated(*count, at, now);
      break;
    case Tap::kCached:
      if (!count) break;
      cached_told_ = true;
      ledger_.OnCached(*count, at, now);
      break;
    case Tap::kSynced:
      ledger_.OnSynced(Begun(at, Took(value)), now);
      break;
    case Tap::kOwnSvid:
      own_svid_ = Begun(at, Took(value));
      break;
    case Tap::kSigned:
      ledger_.OnSigned(at, Took(value), now);
      break;
    case Tap::kSignFailed:
      ledger_.OnSignFailed(now);
      break;
    case Tap::kNone:
    case Tap::kSyncFailed:
      break;
  }
}

void AgentWatch::OnStream(const StreamState& state) {
  const MutexLock lock(mutex_);
  const SteadyTime now = clock_.Steady();
  const bool lost = Lost(state.missing, now);
  // Of a new process whose `started` was not heard nobody knows what it has signed so far.
  const bool replaced =
      state.restarts > stream_.restarts && !(started_ && now - *started_ < kStartedHeard);
  const bool several = state.clients > 1;
  if (lost || replaced || (several && !several_)) Doubt(now);
  several_ = several;
  stream_ = state;
  ledger_.Tick(now);
}

void AgentWatch::Doubt(SteadyTime now) {
  ledger_.OnDoubt(now);
  own_svid_.reset();
}

bool AgentWatch::Lost(uint64_t missing, SteadyTime now) {
  if (missing <= missing_) {
    missing_ = missing;
    more_missing_.reset();
    return false;
  }
  if (!more_missing_) more_missing_ = MoreMissing{now, missing};
  more_missing_->least = std::min(more_missing_->least, missing);
  if (now - more_missing_->since < kMissingFor) return false;
  missing_ = more_missing_->least;
  more_missing_.reset();
  return true;
}

void AgentWatch::OnPage(const PreparedPage& page) {
  const MutexLock lock(mutex_);
  const SteadyTime now = page.received;
  const bool silent = !stream_.last || now - *stream_.last > kStreamQuiet;
  std::array<std::optional<double>, kTaps> totals;
  std::optional<double> uptime;
  for (const PreparedSeries& series : page.series) {
    if (series.family == nullptr) continue;
    if (series.effect == Effect::kHeartbeat) uptime = series.value;
    const Tap tap = TapOf(*series.family, *series.labels);
    if (tap == Tap::kNone) continue;
    std::optional<double>& total = totals[static_cast<size_t>(tap)];
    if (tap == Tap::kCached) {
      total = series.value;
    } else {
      // Of amounts it is what they add up to, of calls how many there were.
      total = total.value_or(0) + series.totals.count;
    }
  }
  const bool restarted = page_uptime_ && uptime && *uptime < *page_uptime_;
  const bool first = !page_asked_;
  if (restarted && silent) ledger_.OnStarted(now);
  const Instant since = InstantOf(page_asked_.value_or(page.asked));
  const auto before = restarted ? decltype(totals){} : page_totals_;
  const auto rise = [&totals, &before](Tap tap) {
    const size_t at = static_cast<size_t>(tap);
    return totals[at] ? std::max(*totals[at] - before[at].value_or(0), 0.0) : 0.0;
  };
  const std::optional<double>& cached = totals[static_cast<size_t>(Tap::kCached)];
  const double failed = rise(Tap::kSignFailed);
  const bool told = silent && !first;
  // Each try announces what is still due, so that after a failure the sum counts SVIDs twice.
  const bool twice = told && failed > 0 && failed + rise(Tap::kSigned) > 1;
  if (twice) ledger_.OnDoubt(now);
  if (told && !twice) {
    for (const Tap tap : {Tap::kExpiring, Tap::kOutdated, Tap::kSignFailed, Tap::kSigned}) {
      if (rise(tap) > 0) Apply(tap, IsAmount(tap) ? rise(tap) : 0, since, now);
    }
  }
  if (told && rise(Tap::kOwnSvid) > 0) Apply(Tap::kOwnSvid, 0, since, now);
  if (cached && (silent || !cached_told_)) Apply(Tap::kCached, *cached, since, now);
  if (told && !twice && rise(Tap::kSynced) > 0) Apply(Tap::kSynced, 0, since, now);
  page_totals_ = totals;
  page_uptime_ = uptime;
  page_asked_ = page.asked;
}

void AgentWatch::SetTtl(std::optional<Duration> ttl) {
  const MutexLock lock(mutex_);
  ledger_.SetTtl(ttl);
}

void AgentWatch::SetCached(uint64_t svids) {
  const MutexLock lock(mutex_);
  const SteadyTime now = clock_.Steady();
  if (!cached_told_) ledger_.OnCached(svids, InstantOf(cached_set_.value_or(now)), now);
  cached_set_ = now;
}

AgentWatch::View AgentWatch::Read() {
  const MutexLock lock(mutex_);
  const Instant now = InstantOf(clock_.Steady());
  ledger_.Tick(now.steady);
  View view;
  view.standing = ledger_.Read(now);
  // Of several agents on one line nobody can say whose a renewal was.
  if (several_) view.standing.whole = false;
  if (const std::optional<Instant> sync = ledger_.last_sync()) view.last_sync = Ago(*sync, now);
  if (own_svid_ && !several_) view.own_svid = Ago(*own_svid_, now);
  view.cached = ledger_.cached();
  view.refused = ledger_.refused();
  const bool speaks = stream_.last && now.steady - *stream_.last <= kStreamQuiet;
  view.anybody_could_say = stream_.listening && !stream_.files_only && stream_.last.has_value();
  view.spoke = stream_.last;
  if (!speaks && page_asked_ && (!view.spoke || *page_asked_ > *view.spoke)) {
    view.spoke = page_asked_;
  }
  return view;
}

}  // namespace spire_exporter::telemetry
