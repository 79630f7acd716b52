#include "collectors/telemetry/ledger.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace spire_exporter::telemetry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr SteadyTime At(Duration since) {
  return SteadyTime(since);
}

Arrival Now(SteadyTime now) {
  return {now - milliseconds(1), now};
}

// A process of SPIRE with the client of 1.15: one line every 100 ms, a heartbeat and a report every
// ten seconds.
class Client {
 public:
  Client(Ledger& ledger, SteadyTime started) : ledger_(ledger), started_(started) {}

  // Sends what is due at `now`; `heard` is false when nobody listens.
  void Step(SteadyTime now, bool heard = true) {
    const Duration up = now - started_;
    if (up < Duration::zero()) return;
    if (heard) {
      ledger_.NoteDatagram(now);
      ledger_.AddLines(1);
    }
    ++handed_;
    if (up % seconds(10) != Duration::zero()) return;
    if (heard) ledger_.OnHeartbeat(Now(now), up);
    if (up == Duration::zero()) return;
    if (heard && reports_) {
      ledger_.OnSelfLine(true);
      ledger_.OnReport(handed_, now);
    }
    handed_ = 0;
  }
  void StopReporting() { reports_ = false; }

 private:
  Ledger& ledger_;
  const SteadyTime started_;
  uint64_t handed_ = 0;
  bool reports_ = true;
};

class LedgerTest : public testing::Test {
 protected:
  // Runs all clients for `time` in steps of 100 ms.
  void Run(std::vector<Client*> clients, Duration time, bool heard = true) {
    const SteadyTime end = now_ + time;
    while (now_ < end) {
      for (Client* client : clients) client->Step(now_, heard);
      if (now_.time_since_epoch() % seconds(1) == Duration::zero()) ledger_.Tick(now_);
      now_ += milliseconds(100);
    }
  }

  Ledger ledger_;
  SteadyTime now_ = At(seconds(1000));
};

TEST_F(LedgerTest, WaitsForTwoReports) {
  Client client(ledger_, now_);
  EXPECT_EQ(ledger_.state(), LedgerState::kWaiting);
  Run({&client}, seconds(15));
  EXPECT_EQ(ledger_.state(), LedgerState::kWaiting);
  Run({&client}, seconds(10));
  EXPECT_EQ(ledger_.state(), LedgerState::kBalanced);
  EXPECT_EQ(ledger_.missing(), 0u);
  EXPECT_EQ(ledger_.unprovable(), 0u);
  EXPECT_EQ(ledger_.clients(), 1u);
}

TEST_F(LedgerTest, CountsLinesThatNeverCame) {
  Client client(ledger_, now_);
  Run({&client}, seconds(25));
  Run({&client}, seconds(4), false);
  Run({&client}, seconds(90));
  EXPECT_EQ(ledger_.state(), LedgerState::kMissing);
  EXPECT_EQ(ledger_.missing(), 40u);
  EXPECT_EQ(ledger_.unprovable(), 0u);
}

TEST_F(LedgerTest, LinesUnderWayAreNoLoss) {
  Ledger& ledger = ledger_;
  // The report overtakes ten lines, or the other way round.
  const int64_t swings[] = {10, -11, 8, 12, -3, 0, 9, 12, -2};
  uint64_t handed = 0;
  uint64_t received = 0;
  for (const int64_t swing : swings) {
    now_ += seconds(10);
    handed += 100;
    const uint64_t now_received = handed - static_cast<uint64_t>(swing);
    ledger.NoteDatagram(now_);
    ledger.AddLines(now_received - received);
    received = now_received;
    ledger.OnHeartbeat(Now(now_), now_ - At(seconds(1000)));
    ledger.OnReport(100, now_);
    ledger.Tick(now_);
    EXPECT_EQ(ledger.missing(), 0u) << swing;
  }
  EXPECT_EQ(ledger.state(), LedgerState::kBalanced);
}

TEST_F(LedgerTest, ALateStartCountsWhatTheFirstReportCovers) {
  Client client(ledger_, now_);
  Run({&client}, seconds(9), false);
  Run({&client}, seconds(60));
  EXPECT_EQ(ledger_.missing(), 90u);
  EXPECT_EQ(ledger_.restarts(), 0u);
}

TEST_F(LedgerTest, AKillLeavesTheLastSecondsUnprovable) {
  Client client(ledger_, now_);
  Run({&client}, seconds(37));
  // Killed seven seconds after its third report; nobody takes its place.
  Run({}, seconds(40));
  EXPECT_EQ(ledger_.missing(), 0u);
  EXPECT_EQ(ledger_.unprovable(), 69u);
  EXPECT_EQ(ledger_.clients(), 0u);
  EXPECT_EQ(ledger_.state(), LedgerState::kWaiting);
}

TEST_F(LedgerTest, ARestartClosesTheEpochAndLossesStay) {
  Client first(ledger_, now_);
  Run({&first}, seconds(22));
  Run({&first}, seconds(2), false);
  Run({&first}, seconds(73));
  EXPECT_EQ(ledger_.missing(), 20u);
  Run({}, seconds(1));
  Client second(ledger_, now_);
  Run({&second}, seconds(60));
  EXPECT_EQ(ledger_.restarts(), 1u);
  EXPECT_EQ(ledger_.missing(), 20u);
  EXPECT_EQ(ledger_.unprovable(), 69u);
  EXPECT_EQ(ledger_.state(), LedgerState::kBalanced) << "the process that is there lost nothing";
}

TEST_F(LedgerTest, ALargeLossIsSeenAtTheSecondReport) {
  Client client(ledger_, now_);
  Run({&client}, seconds(32));
  Run({&client}, seconds(6), false);
  Run({&client}, seconds(3));
  EXPECT_EQ(ledger_.missing(), 0u) << "they may be under way";
  Run({&client}, seconds(10));
  EXPECT_EQ(ledger_.missing(), 60u - 16u);
}

TEST_F(LedgerTest, ALargeLossSurvivesAKill) {
  Client client(ledger_, now_);
  Run({&client}, seconds(32));
  Run({&client}, seconds(6), false);
  Run({&client}, seconds(3));
  Run({}, seconds(40));
  // One report after the loss was the last, and nothing is under way from who has gone.
  EXPECT_EQ(ledger_.missing(), 60u - 16u);
}

TEST_F(LedgerTest, LinesThatComeAfterTheirReportAreNoLoss) {
  // A sender and a receiver that wait for a processor: 40 lines are read after the report.
  for (int i = 1; i <= 8; ++i) {
    now_ += seconds(10);
    const uint64_t late = i % 3 == 0 ? 40 : 0;
    ledger_.NoteDatagram(now_);
    ledger_.AddLines(100 - late);
    ledger_.OnHeartbeat(Now(now_), seconds(10 * i));
    ledger_.OnReport(100, now_);
    ledger_.Tick(now_);
    EXPECT_EQ(ledger_.missing(), 0u) << i;
    ledger_.AddLines(late);
  }
}

TEST_F(LedgerTest, AFloodUnderWayIsNoLoss) {
  // At 50,000 lines a second each report overtakes what its client holds back for up to 100 ms.
  uint64_t held_back = 0;
  for (int i = 1; i <= 20; ++i) {
    now_ += seconds(10);
    ledger_.NoteDatagram(now_);
    ledger_.AddLines(held_back + 500'000 - 4'000);
    held_back = 4'000;
    ledger_.OnHeartbeat(Now(now_), seconds(10 * i));
    ledger_.OnReport(500'000, now_);
    ledger_.Tick(now_);
    EXPECT_EQ(ledger_.missing(), 0u);
  }
}

TEST_F(LedgerTest, ACrashLoopKeepsTheBalance) {
  for (int i = 0; i < 20; ++i) {
    Client client(ledger_, now_);
    Run({&client}, seconds(5));
    Run({}, seconds(2));
  }
  Client last(ledger_, now_);
  Run({&last}, seconds(60));
  EXPECT_EQ(ledger_.missing(), 0u);
  EXPECT_EQ(ledger_.unprovable(), 20u * 50u);
  EXPECT_EQ(ledger_.state(), LedgerState::kBalanced);
}

TEST_F(LedgerTest, TwoClientsSideBySideAreNoRestart) {
  Client first(ledger_, now_);
  Run({&first}, milliseconds(23'400));
  Client second(ledger_, now_);
  Run({&first, &second}, seconds(120));
  EXPECT_EQ(ledger_.restarts(), 0u);
  EXPECT_EQ(ledger_.clients(), 2u);
  EXPECT_EQ(ledger_.missing(), 0u);
  EXPECT_EQ(ledger_.unprovable(), 0u);
  EXPECT_EQ(ledger_.state(), LedgerState::kBalanced);
}

TEST_F(LedgerTest, ALossOfTwoClientsShowsInTheirSum) {
  Client first(ledger_, now_);
  Run({&first}, seconds(5));
  Client second(ledger_, now_);
  // The first reports at full tens, the second at fives: no report is lost with the lines.
  Run({&first, &second}, milliseconds(56'000));
  Run({&first, &second}, milliseconds(3'500), false);
  Run({&first, &second}, milliseconds(90'500));
  // The sum hides at most what one client sends between two reports of the other.
  EXPECT_EQ(ledger_.state(), LedgerState::kMissing);
  EXPECT_LE(ledger_.missing(), 70u);
  EXPECT_GE(ledger_.missing(), 20u);
}

TEST_F(LedgerTest, WhenOneOfTwoGoesTheOtherIsBalancedOn) {
  Client first(ledger_, now_);
  Run({&first}, milliseconds(4'200));
  Client second(ledger_, now_);
  Run({&first, &second}, seconds(57));
  Run({&second}, seconds(120));
  EXPECT_EQ(ledger_.clients(), 1u);
  EXPECT_EQ(ledger_.state(), LedgerState::kBalanced);
  EXPECT_EQ(ledger_.missing(), 0u);
  // The first had been up for 61.2 s, so its last report is 1.2 s old.
  EXPECT_NEAR(static_cast<double>(ledger_.unprovable()), 12, 3);
  // A loss after that shows whole.
  Run({&second}, seconds(3), false);
  Run({&second}, seconds(80));
  EXPECT_EQ(ledger_.missing(), 30u);
}

TEST_F(LedgerTest, AClientThatDoesNotReportIsUnprovable) {
  Client client(ledger_, now_);
  client.StopReporting();
  Run({&client}, seconds(5));
  ledger_.OnSelfLine(false);
  EXPECT_EQ(ledger_.state(), LedgerState::kUnprovable);
  EXPECT_EQ(ledger_.unprovable(), 50u);
  Run({&client}, seconds(5));
  EXPECT_EQ(ledger_.unprovable(), 100u);
  EXPECT_EQ(ledger_.missing(), 0u);
}

TEST_F(LedgerTest, WithoutAnyReportItIsUnprovableAfterAWhile) {
  Client client(ledger_, now_);
  client.StopReporting();
  Run({&client}, seconds(20));
  EXPECT_EQ(ledger_.state(), LedgerState::kWaiting);
  Run({&client}, seconds(10));
  EXPECT_EQ(ledger_.state(), LedgerState::kUnprovable);
}

TEST_F(LedgerTest, ALostReportHidesNoLoss) {
  Client client(ledger_, now_);
  Run({&client}, seconds(35));
  client.StopReporting();
  Run({&client}, seconds(10));  // the report at 40 s is lost, and it alone
  Client* alive = &client;
  Ledger& ledger = ledger_;
  // Goes on with what the client object knows.
  now_ = At(seconds(1045));
  uint64_t handed = 49;
  for (int i = 0; i < 900; ++i) {
    ledger.NoteDatagram(now_);
    if (i < 200 || i >= 230) ledger.AddLines(1);  // thirty lines are lost as well
    ++handed;
    const Duration up = now_ - At(seconds(1000));
    if (up % seconds(10) == Duration::zero()) {
      ledger.OnHeartbeat(Now(now_), up);
      ledger.OnReport(handed, now_);
      handed = 0;
    }
    if (i % 10 == 0) ledger.Tick(now_);
    now_ += milliseconds(100);
  }
  (void)alive;
  EXPECT_EQ(ledger.missing(), 30u);
  EXPECT_NEAR(static_cast<double>(ledger.unprovable()), 100, 2);
}

TEST_F(LedgerTest, AStopOfThisProcessIsNoSilenceOfOthers) {
  Client client(ledger_, now_);
  Run({&client}, seconds(35));
  // Stopped for a minute; the kernel kept everything. The clock jumps, then all is read at once.
  const SteadyTime stopped = now_;
  now_ += seconds(60);
  ledger_.Tick(now_);
  uint64_t handed = 49;
  for (SteadyTime sent = stopped; sent < now_; sent += milliseconds(100)) {
    ledger_.NoteDatagram(now_);
    ledger_.AddLines(1);
    ++handed;
    const Duration up = sent - At(seconds(1000));
    if (up % seconds(10) != Duration::zero()) continue;
    ledger_.OnHeartbeat({stopped, now_}, up);
    ledger_.OnReport(handed, now_);
    handed = 0;
  }
  ledger_.Tick(now_);
  EXPECT_EQ(ledger_.restarts(), 0u);
  EXPECT_EQ(ledger_.clients(), 1u);
  EXPECT_EQ(ledger_.missing(), 0u);
  EXPECT_EQ(ledger_.unprovable(), 0u);
}

TEST_F(LedgerTest, HeartbeatsOfThousandsOfProcessesAreBounded) {
  for (int i = 0; i < 100'000; ++i) {
    now_ += milliseconds(10);
    ledger_.NoteDatagram(now_);
    ledger_.AddLines(1);
    ledger_.OnHeartbeat(Now(now_), seconds((i * 7919) % 100'000));
    if (i % 100 == 0) ledger_.Tick(now_);
  }
  EXPECT_LE(ledger_.clients(), 16u);
  EXPECT_EQ(ledger_.missing(), 0u);
}

}  // namespace
}  // namespace spire_exporter::telemetry
