// Recorded streams of three versions of SPIRE, fed to the store: what its ledger says must be what
// is known of the recording.
#include <gtest/gtest.h>

#include <string>

#include "collectors/telemetry/capture_file.h"
#include "collectors/telemetry/store.h"

namespace spire_exporter::telemetry {
namespace {

struct Recording {
  std::string file;
  LedgerState state;
  uint64_t missing_at_least;
  uint64_t missing_at_most;
  uint64_t lines;  // without the client's own telemetry
  uint64_t own_lines;
  uint64_t sent;
  uint64_t dropped_packets;
};

void PrintTo(const Recording& recording, std::ostream* out) {
  *out << recording.file;
}

class CaptureReplayTest : public testing::TestWithParam<Recording> {
 protected:
  void Replay() {
    for (const CapturedDatagram& datagram : ReadCapture(GetParam().file)) {
      const Duration due =
          std::chrono::duration_cast<Duration>(std::chrono::duration<double>(datagram.seconds));
      const Duration now = clock_.Steady().time_since_epoch();
      if (due > now) clock_.Advance(due - now);
      const SteadyTime at = clock_.Steady();
      store_.Feed(datagram.bytes, false, {at, at}, &counts_);
      counts_.ledger.Tick(at);
      ++datagrams_;
    }
  }

  ManualClock clock_;
  Store store_{StoreOptions{}, clock_};
  ListenerCounts counts_;
  uint64_t datagrams_ = 0;
};

TEST_P(CaptureReplayTest, BalancesAsRecorded) {
  Replay();
  const Recording& known = GetParam();
  EXPECT_EQ(counts_.datagrams, datagrams_);
  EXPECT_EQ(counts_.lines(), known.lines + known.own_lines);
  EXPECT_EQ(counts_.rejected(), 0u);
  EXPECT_EQ(counts_.client_sent_metrics, known.sent);
  EXPECT_EQ(counts_.client_dropped_queue, 0u);
  EXPECT_EQ(counts_.client_dropped_writer, known.dropped_packets);
  EXPECT_EQ(counts_.ledger.state(), known.state);
  EXPECT_GE(counts_.ledger.missing(), known.missing_at_least);
  EXPECT_LE(counts_.ledger.missing(), known.missing_at_most);
  EXPECT_EQ(counts_.ledger.clients(), 1u);
  EXPECT_EQ(counts_.ledger.restarts(), 0u);
  EXPECT_EQ(counts_.ledger.unprovable(),
            known.state == LedgerState::kUnprovable ? known.lines : 0u);
}

TEST_P(CaptureReplayTest, TimersAndCountersTellTheSameEvents) {
  Replay();
  const StoreState state = store_.State();
  EXPECT_GT(state.counter_events, 100);
  // Those of the last flush, and those lost before a late start, may be told by one alone.
  const double share = GetParam().missing_at_most > 0 ? 0.05 : 0.005;
  EXPECT_NEAR(static_cast<double>(state.timer_events), state.counter_events,
              share * state.counter_events);
}

TEST_P(CaptureReplayTest, EndsInFewSeries) {
  Replay();
  FamilyList families;
  store_.AppendFamilies(clock_.Steady(), &families);
  size_t series = 0;
  for (const Family& family : families) series += family.series.size();
  EXPECT_GT(series, 15u);
  EXPECT_LT(series, 400u);
  EXPECT_LT(store_.State().bytes, size_t{1} << 20);
}

constexpr LedgerState kBalanced = LedgerState::kBalanced;
constexpr LedgerState kMissing = LedgerState::kMissing;
constexpr LedgerState kUnprovable = LedgerState::kUnprovable;

INSTANTIATE_TEST_SUITE_P(
    Recorded, CaptureReplayTest,
    testing::Values(
        Recording{"1.15.3/server.udp.cap", kBalanced, 0, 0, 2593, 180, 2536, 0},
        Recording{"1.15.3/agent.udp.cap", kBalanced, 0, 0, 3973, 180, 3936, 0},
        Recording{"1.15.3/server.unixgram.cap", kBalanced, 0, 0, 2183, 180, 2124, 0},
        Recording{"1.15.3/server-late-listener.udp.cap", kMissing, 181, 181, 1248, 72, 1274, 57},
        Recording{"1.15.3/agent-late-listener.udp.cap", kMissing, 62, 71, 1773, 72, 1704, 26},
        Recording{"1.15.3/server-late-listener.unixgram.cap", kMissing, 41, 45, 693, 72, 703, 40},
        Recording{"1.8.0/server.udp.cap", kUnprovable, 0, 0, 2952, 128, 0, 0},
        Recording{"1.8.0/agent.udp.cap", kUnprovable, 0, 0, 5988, 120, 0, 0},
        Recording{"1.8.0/server.unixgram.cap", kUnprovable, 0, 0, 2560, 128, 0, 0},
        Recording{"1.7.2/server.udp.cap", kUnprovable, 0, 0, 2930, 128, 0, 0},
        Recording{"1.7.2/agent.udp.cap", kUnprovable, 0, 0, 5970, 120, 0, 0},
        Recording{"1.7.2/server.unixgram.cap", kUnprovable, 0, 0, 2539, 120, 0, 0}));

}  // namespace
}  // namespace spire_exporter::telemetry
