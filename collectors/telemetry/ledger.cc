#include "collectors/telemetry/ledger.h"

#include <algorithm>

namespace spire_exporter::telemetry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// SPIRE's heartbeat and the client's report both come every ten seconds.
constexpr Duration kSilence = seconds(25);
// Two reports further apart than this have lost one between them.
constexpr Duration kReportGap = seconds(15);
// Tick() comes once a second; a longer gap means that this process was stopped.
constexpr Duration kStall = seconds(3);
// Two estimates of one process's start differ by the client's flush interval and our own delay.
constexpr Duration kSameStart = seconds(2);
// A process whose last line is no older is alive, whatever its heartbeats say.
constexpr Duration kStillSpeaks = seconds(5);
// The client holds lines back for up to this long, so that a start looks late by as much.
constexpr Duration kFlush = milliseconds(100);
constexpr Duration kMarkEvery = milliseconds(50);
constexpr size_t kMarksMax = 256;
// Lines under way when a report comes: 12 at most were seen in 110 reports of an idle SPIRE.
constexpr uint64_t kUnderWay = 16;
// The share of a report's lines that its client may hold back until the next flush.
constexpr uint64_t kFlushesPerReport = 100;
constexpr size_t kReportsJudged = 6;
constexpr size_t kBeatsMax = 16;
constexpr size_t kRetiredMax = 4;

}  // namespace

std::string_view LedgerStateName(LedgerState state) {
  switch (state) {
    case LedgerState::kWaiting:
      return "waiting";
    case LedgerState::kBalanced:
      return "balanced";
    case LedgerState::kMissing:
      return "missing";
    case LedgerState::kUnprovable:
      return "unprovable";
  }
  return "";
}

void Ledger::NoteDatagram(SteadyTime now) {
  now_ = std::max(now_, now);
  current_.last_line = now;
  if (!current_.first_line) current_.first_line = now;
  if (!marks_.empty() && now - marks_.back().at < kMarkEvery) return;
  marks_.push_back({now, current_.lines});
  if (marks_.size() > kMarksMax) marks_.pop_front();
}

void Ledger::OnReport(uint64_t metrics, SteadyTime now) {
  Epoch& epoch = current_;
  epoch.handed += metrics;
  ++epoch.reports;
  uint64_t unvouched = 0;
  if (!epoch.recent.empty() && epoch.beats.size() <= 1 &&
      now - epoch.recent.back().at > kReportGap) {
    // What the lost report would have vouched for is taken out of the sum, or it would hide as many
    // lost lines for ever.
    const uint64_t since = epoch.lines - epoch.recent.back().lines;
    if (since > metrics) unvouched = since - metrics;
    epoch.unvouched += unvouched;
    epoch.handed += unvouched;
  }
  epoch.recent.push_back({now, metrics, epoch.handed, epoch.lines, unvouched});
  if (epoch.recent.size() > kReportsJudged) epoch.recent.pop_front();
  if (epoch.begin_anew) BeginAnew();
}

Ledger::Beat* Ledger::FindBeat(Epoch& epoch, const Arrival& arrival, Duration uptime) {
  for (Beat& beat : epoch.beats) {
    if (beat.started >= arrival.earliest - uptime - kSameStart &&
        beat.started <= arrival.latest - uptime + kSameStart && uptime + kSameStart > beat.uptime) {
      return &beat;
    }
  }
  return nullptr;
}

void Ledger::OnHeartbeat(const Arrival& arrival, Duration uptime) {
  const SteadyTime started = arrival.latest - uptime - kFlush;
  Beat* beat = FindBeat(current_, arrival, uptime);
  for (size_t i = retired_.size(); beat == nullptr && i > 0; --i) {
    if (FindBeat(retired_[i - 1], arrival, uptime) == nullptr) continue;
    // Side by side after all, and whoever came in between as well.
    while (retired_.size() >= i) Join(retired_.size() - 1);
    beat = FindBeat(current_, arrival, uptime);
  }
  if (beat != nullptr) {
    beat->last = arrival.latest;
    beat->started = std::min(beat->started, started);
    beat->uptime = std::max(beat->uptime, uptime);
    return;
  }
  const bool others_silent =
      std::all_of(current_.beats.begin(), current_.beats.end(),
                  [started](const Beat& other) { return other.last <= started; });
  if (others_silent && (!current_.beats.empty() || LinesBefore(started) > 0)) Split(started);
  if (current_.beats.size() < kBeatsMax) {
    current_.beats.push_back({started, arrival.latest, uptime});
  }
}

uint64_t Ledger::LinesBefore(SteadyTime instant) const {
  for (const Mark& mark : marks_) {
    if (mark.at >= instant) return mark.lines;
  }
  return current_.lines;
}

void Ledger::Split(SteadyTime started) {
  const uint64_t before = LinesBefore(started);
  Epoch next;
  next.lines = current_.lines - before;
  next.last_line = current_.last_line;
  next.first_line = started;
  Epoch old = std::move(current_);
  old.lines = before;
  old.ended = started;
  // Reports from after the start are the new process's.
  while (!old.recent.empty() && old.recent.back().at >= started) {
    next.recent.push_front(old.recent.back());
    old.recent.pop_back();
    --old.reports;
    ++next.reports;
  }
  if (next.reports > 0) {
    // The gap before the first of them was none: the two are reports of two processes.
    const uint64_t no_gap = next.recent.front().unvouched;
    next.recent.front().unvouched = 0;
    for (const Report& report : next.recent) next.unvouched += report.unvouched;
    old.unvouched -= no_gap + next.unvouched;
    const uint64_t handed = old.recent.empty() ? 0 : old.recent.back().handed;
    for (Report& report : next.recent) {
      report.handed -= handed + no_gap;
      report.lines -= std::min(report.lines, before);
    }
    next.handed = old.handed - handed - no_gap;
    old.handed = handed;
  }
  current_ = std::move(next);
  marks_.clear();
  retired_.push_back(std::move(old));
  if (retired_.size() > kRetiredMax) {
    Close(retired_.front());
    retired_.erase(retired_.begin());
  }
}

void Ledger::Join(size_t retired) {
  Epoch joined = std::move(retired_[retired]);
  retired_.erase(retired_.begin() + static_cast<std::ptrdiff_t>(retired));
  for (Report report : current_.recent) {
    report.handed += joined.handed;
    report.lines += joined.lines;
    joined.recent.push_back(report);
    if (joined.recent.size() > kReportsJudged) joined.recent.pop_front();
  }
  for (Mark& mark : marks_) mark.lines += joined.lines;
  joined.lines += current_.lines;
  joined.handed += current_.handed;
  joined.reports += current_.reports;
  joined.unvouched += current_.unvouched;
  joined.unreporting |= current_.unreporting;
  joined.begin_anew = false;
  joined.last_line = current_.last_line;
  joined.ended = SteadyTime::max();
  for (const Beat& beat : current_.beats) {
    if (joined.beats.size() < kBeatsMax) joined.beats.push_back(beat);
  }
  current_ = std::move(joined);
}

void Ledger::Close(const Epoch& epoch) {
  closed_missing_ += MissingOf(epoch, true);
  const uint64_t vouched = epoch.recent.empty() ? 0 : epoch.recent.back().lines;
  closed_unprovable_ += epoch.unreporting
                            ? epoch.lines
                            : epoch.unvouched + epoch.lines - std::min(vouched, epoch.lines);
  if (epoch.ended != SteadyTime::max() && !epoch.beats.empty()) {
    ++restarts_;
    replaced_at_ = epoch.ended;
  }
}

void Ledger::CloseCurrent() {
  Close(current_);
  current_ = Epoch();
  marks_.clear();
}

void Ledger::BeginAnew() {
  const uint64_t missing = MissingOf(current_, false);
  closed_missing_ += missing;
  closed_unprovable_ += current_.unvouched;
  // What was received beyond the reports came from the client that went without its last report.
  const uint64_t received = current_.lines + missing;
  if (received > current_.handed) closed_unprovable_ += received - current_.handed;
  Epoch next;
  next.beats = std::move(current_.beats);
  next.first_line = current_.first_line;
  next.last_line = current_.last_line;
  current_ = std::move(next);
  marks_.clear();
}

void Ledger::Tick(SteadyTime now) {
  now_ = std::max(now_, now);
  const Duration stalled = ticked_ && now - *ticked_ > kStall ? now - *ticked_ : Duration::zero();
  ticked_ = now;
  if (stalled > Duration::zero()) {
    // Nobody was listening, so nobody can be said to have been silent.
    for (Epoch& epoch : retired_) {
      for (Beat& beat : epoch.beats) beat.last += stalled;
    }
    for (Beat& beat : current_.beats) beat.last = std::min(beat.last + stalled, now);
  }
  for (size_t i = 0; i < retired_.size();) {
    SteadyTime last = retired_[i].ended;
    for (const Beat& beat : retired_[i].beats) last = std::max(last, beat.last);
    if (now - last <= kSilence) {
      ++i;
      continue;
    }
    Close(retired_[i]);
    retired_.erase(retired_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  Epoch& epoch = current_;
  const size_t before = epoch.beats.size();
  const auto silent = [now](const Beat& beat) { return now - beat.last > kSilence; };
  // Lines that still come are those of a process whose heartbeats were lost; its next report covers
  // what was counted here.
  const bool speaks = epoch.first_line && now - epoch.last_line <= kStillSpeaks;
  if (speaks && std::all_of(epoch.beats.begin(), epoch.beats.end(), silent)) return;
  std::erase_if(epoch.beats, silent);
  if (epoch.beats.size() < before) {
    if (epoch.beats.empty()) {
      CloseCurrent();
    } else if (epoch.beats.size() == 1) {
      epoch.begin_anew = !epoch.unreporting;
    }
  } else if (epoch.beats.empty() && epoch.first_line && now - epoch.last_line > kSilence) {
    CloseCurrent();
  }
}

uint64_t Ledger::MissingOf(const Epoch& epoch, bool over) {
  if (epoch.reports < 2 || epoch.recent.empty() || epoch.unreporting) return 0;
  const auto unheard = [](const Report& report) {
    return report.handed - std::min(report.handed, report.lines);
  };
  uint64_t least = UINT64_MAX;
  for (const Report& report : epoch.recent) least = std::min(least, unheard(report));
  // Busy clients hold back more than a dozen lines, at each report alike.
  const uint64_t held_back = epoch.recent.back().metrics / kFlushesPerReport;
  if (held_back > kUnderWay) least -= std::min(least, held_back);
  // A loss larger than what may be under way needs but a second look: on a busy machine what a
  // report overtakes is more, and has come by the next one.
  uint64_t large = unheard(epoch.recent.back());
  if (!over && epoch.recent.size() > 1) {
    large = std::min(large, unheard(epoch.recent[epoch.recent.size() - 2]));
  }
  return std::max(least, large - std::min(large, std::max(kUnderWay, held_back)));
}

uint64_t Ledger::missing() const {
  uint64_t total = closed_missing_ + MissingOf(current_, false);
  for (const Epoch& epoch : retired_) total += MissingOf(epoch, true);
  return total;
}

bool Ledger::missing_known() const {
  const LedgerState now = state();
  return now == LedgerState::kBalanced || now == LedgerState::kMissing || missing() > 0;
}

uint64_t Ledger::unprovable() const {
  uint64_t total = closed_unprovable_;
  const auto add = [&total](const Epoch& epoch) {
    total += epoch.unreporting ? epoch.lines : epoch.unvouched;
  };
  add(current_);
  for (const Epoch& epoch : retired_) add(epoch);
  return total;
}

LedgerState Ledger::state() const {
  const Epoch& epoch = current_;
  if (epoch.unreporting) return LedgerState::kUnprovable;
  if (epoch.reports >= 2) {
    return MissingOf(epoch, false) > 0 ? LedgerState::kMissing : LedgerState::kBalanced;
  }
  const bool overdue =
      epoch.reports == 0 && epoch.first_line && now_ - *epoch.first_line > kSilence;
  return overdue ? LedgerState::kUnprovable : LedgerState::kWaiting;
}

}  // namespace spire_exporter::telemetry
