// The loss ledger of one listener: received + missing = handed, in lines.
#ifndef COLLECTORS_TELEMETRY_LEDGER_H_
#define COLLECTORS_TELEMETRY_LEDGER_H_

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <vector>

#include "exporter/base/clock.h"

namespace spire_exporter::telemetry {

// When a datagram came: not before `earliest` (the socket was empty then) and not after `latest`
// (it has been read). The two differ when this process was stopped or busy.
struct Arrival {
  SteadyTime earliest;
  SteadyTime latest;
};

enum class LedgerState : uint8_t {
  kWaiting,     // nobody there, or fewer than two reports
  kBalanced,    // the live clients' reports leave nothing missing
  kMissing,     // they do
  kUnprovable,  // a live client does not report how many lines it was handed
};
std::string_view LedgerStateName(LedgerState state);

// SPIRE's client (datadog-go 4.8.3) reports every ten seconds how many lines it was handed since
// its last report: the counter `metrics`, without the lines of the report itself. Let M be the sum
// of the reports and L the number of plain lines received when the last one came. Lines under way
// make M - L swing by a dozen around zero; a lost line shifts it for good. So
//   missing = max(0, least of M - L over the last six reports, lesser of the last two M - L - 16),
// from the second report on, is never more than was lost and soon at most about a dozen less; busy
// clients hold back up to 100 ms of their lines, and as much is left to them. On a busy machine
// more is under way, and has come by the next report: hence two of them. Where a client has gone
// the last one alone counts. It covers all that the first report covers, lines from before this
// process listened among them.
//
// An epoch is the life of a set of clients. Processes of SPIRE are told apart by their heartbeat:
// arrival - uptime is the instant they started, the same for all heartbeats of one process.
// - A heartbeat of a process that started when the others had gone silent opens a new epoch at that
//   instant, retroactively by a few datagrams. Should one of the others speak again, the two were
//   clients side by side, and their epochs are joined: M and L add up, so several clients are
//   balanced in sum.
// - 25 s after the last heartbeat of its process an epoch is closed, unless lines still come. What
// is missing stays missing;
//   lines since the last report can no longer be held against one and are unprovable: never loss.
// - A gap between the reports of a single client means that a report was lost itself: the lines it
//   would have vouched for are unprovable.
// - When one of several clients goes, the sum is closed and begun anew at the next report.
// Clients that do not report (datadog-go 3.2.0 in SPIRE 1.7 and 1.8): all their lines are
// unprovable.
//
// Not safe from several threads. Bounded: a few epochs of a few reports and heartbeats.
class Ledger {
 public:
  // Lines other than the client's own telemetry, in the order in which they are found.
  void AddLines(uint64_t lines) { current_.lines += lines; }
  // Before the lines of a datagram: remembers how many had come before it.
  void NoteDatagram(SteadyTime now);
  // A report of `metrics`.
  void OnReport(uint64_t metrics, SteadyTime now);
  // Any line of the client's own telemetry; `reports` is false for clients without `metrics`.
  void OnSelfLine(bool reports) {
    current_.unreporting |= !reports;
    heard_client_ = true;
  }
  // SPIRE's uptime, or zero with its `started`.
  void OnHeartbeat(const Arrival& arrival, Duration uptime);
  // About once a second.
  void Tick(SteadyTime now);

  // Totals since the ledger began, and the state as of the last Tick(). Monotonic but for
  // missing(), which may fall by the lines that were under way.
  uint64_t missing() const;
  uint64_t unprovable() const;
  LedgerState state() const;
  // Whether missing() is a finding: before two reports, and of clients that do not report, it is
  // not.
  bool missing_known() const;
  // Whether a client has ever told of itself.
  bool heard_client() const { return heard_client_; }
  // Processes of SPIRE with a heartbeat.
  size_t clients() const { return current_.beats.size(); }
  // How often a process was replaced by another, and when the last one started.
  uint64_t restarts() const { return restarts_; }
  std::optional<SteadyTime> replaced_at() const { return replaced_at_; }

 private:
  struct Report {
    SteadyTime at;
    uint64_t metrics = 0;
    // Of its epoch, when it came.
    uint64_t handed = 0;
    uint64_t lines = 0;
    uint64_t unvouched = 0;  // what the gap before it added
  };
  struct Beat {
    SteadyTime started;
    SteadyTime last;
    Duration uptime;
  };
  struct Epoch {
    uint64_t lines = 0;
    uint64_t handed = 0;
    uint64_t reports = 0;
    uint64_t unvouched = 0;  // lines that a lost report would have vouched for
    std::deque<Report> recent;
    std::vector<Beat> beats;
    bool unreporting = false;
    bool begin_anew = false;  // all but one of its clients have gone
    std::optional<SteadyTime> first_line;
    SteadyTime last_line = SteadyTime::min();
    SteadyTime ended = SteadyTime::max();  // of a retired one: when its successor started
  };
  struct Mark {
    SteadyTime at;
    uint64_t lines = 0;  // of the current epoch, before this instant
  };

  // `over`: nothing is under way any more.
  static uint64_t MissingOf(const Epoch& epoch, bool over);
  static Beat* FindBeat(Epoch& epoch, const Arrival& arrival, Duration uptime);
  uint64_t LinesBefore(SteadyTime instant) const;
  void Split(SteadyTime started);
  void Join(size_t retired);
  void Close(const Epoch& epoch);
  void CloseCurrent();
  void BeginAnew();

  Epoch current_;
  std::vector<Epoch> retired_;  // not yet closed, oldest first
  std::deque<Mark> marks_;
  uint64_t closed_missing_ = 0;
  uint64_t closed_unprovable_ = 0;
  uint64_t restarts_ = 0;
  std::optional<SteadyTime> replaced_at_;
  bool heard_client_ = false;
  SteadyTime now_ = SteadyTime::min();
  std::optional<SteadyTime> ticked_;
};

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_LEDGER_H_
