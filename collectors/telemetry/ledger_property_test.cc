// The ledger under random schedules: floods, losses in the kernel and at the client, datagrams that
// are cut, lost reports, and processes of SPIRE that are killed and replaced. What it says is held
// against what was truly handed over and heard.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "collectors/telemetry/ledger.h"

namespace spire_exporter::telemetry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// What the ledger may be behind by, for each life of a process (ledger.h).
constexpr uint64_t kSlack = 16;
// At most so many lines are handed over in 100 ms, which a client may hold back.
constexpr uint64_t kRateMax = 500;

class World {
 public:
  World(uint64_t seed, bool restarts, bool lost_reports)
      : random_(seed), restarts_(restarts), lost_reports_(lost_reports) {
    Start();
  }

  // `calm`: nothing is lost and nobody is killed.
  void Run(Duration time, bool calm) {
    for (const SteadyTime end = now_ + time; now_ < end; now_ += milliseconds(100)) {
      Disturb(calm);
      Step();
      if (now_.time_since_epoch() % seconds(1) == Duration::zero()) ledger_.Tick(now_);
      Check();
    }
  }

  const Ledger& ledger() const { return ledger_; }
  uint64_t lost() const { return lost_; }
  uint64_t received() const { return received_; }
  uint64_t reported() const { return reported_; }
  uint64_t lives() const { return lives_; }
  uint64_t cuts() const { return cuts_; }
  // Received before the first report of a life that was heard, where one before it was lost: no gap
  // between two reports tells of it.
  uint64_t unvouched() const { return unvouched_; }
  // Lost where a life ended after a single report: none is claimed before the second.
  uint64_t unclaimed() const { return unclaimed_; }

 private:
  bool OneIn(uint64_t n) { return random_() % n == 0; }

  void Start() {
    ++lives_;
    if (life_.heard_reports == 1) unclaimed_ += life_.lost_at_first;
    life_ = Life();
    started_ = now_;
    handed_ = 0;
  }

  void Disturb(bool calm) {
    if (calm) {
      deaf_until_ = now_;
      rate_ = 1;
      cutting_ = false;
      return;
    }
    cutting_ = true;
    if (OneIn(200)) deaf_until_ = now_ + milliseconds(100 * (1 + random_() % 50));
    if (OneIn(50)) rate_ = OneIn(4) ? random_() % kRateMax : random_() % 5;
    if (restarts_ && OneIn(600)) {
      dead_until_ = now_ + seconds(1 + static_cast<int64_t>(random_() % 40));
    }
  }

  void Step() {
    if (now_ < dead_until_) return;
    if (dead_until_ > started_) Start();  // another process
    const Duration up = now_ - started_;
    const bool heard = now_ >= deaf_until_;
    const uint64_t came = heard ? Cut(rate_) : 0;
    if (heard) {
      ledger_.NoteDatagram(now_);
      ledger_.AddLines(came);
      received_ += came;
    }
    life_.received += came;
    life_.lost += rate_ - came;
    lost_ += rate_ - came;
    handed_ += rate_;
    if (up % seconds(10) != Duration::zero()) return;
    if (heard) ledger_.OnHeartbeat({now_ - milliseconds(1), now_}, up);
    if (up == Duration::zero()) return;
    // The torn line of a report is rejected as any line, and vouches for nothing.
    const bool report_torn = heard && lost_reports_ && cutting_ && OneIn(10);
    if (report_torn) {
      ledger_.AddLines(1);
      ++received_;
    }
    if (heard && !report_torn && !(lost_reports_ && OneIn(10))) {
      ledger_.OnSelfLine(true);
      ledger_.OnReport(handed_, now_);
      reported_ += handed_;
      if (++life_.heard_reports == 1) {
        unvouched_ += life_.received_at_lost_report;
        life_.lost_at_first = life_.lost;
      }
    } else if (life_.heard_reports == 0) {
      life_.received_at_lost_report = life_.received;
    }
    handed_ = 0;
  }

  // How many of the lines of a datagram come: where it is cut those before the torn one, and that
  // one, which Store rejects and counts.
  uint64_t Cut(uint64_t lines) {
    if (!cutting_ || lines == 0 || !OneIn(20)) return lines;
    ++cuts_;
    return 1 + random_() % lines;
  }

  // At any moment: no loss is claimed that was none, and no line vouches for itself twice.
  void Check() {
    ASSERT_LE(ledger_.missing(), lost_);
    ASSERT_LE(ledger_.unprovable(), received_);
  }

  // Of one process of SPIRE.
  struct Life {
    uint64_t received = 0, lost = 0, heard_reports = 0;
    uint64_t received_at_lost_report = 0;  // the last one before the first that was heard
    uint64_t lost_at_first = 0;            // when that was heard
  };

  std::mt19937_64 random_;
  const bool restarts_, lost_reports_;
  Ledger ledger_;
  SteadyTime now_{seconds(1000)};
  SteadyTime started_, deaf_until_, dead_until_;
  bool cutting_ = false;
  uint64_t rate_ = 1;
  uint64_t handed_ = 0;  // since the last report was due
  uint64_t lost_ = 0, received_ = 0, reported_ = 0, lives_ = 0, cuts_ = 0;
  Life life_;
  uint64_t unvouched_ = 0, unclaimed_ = 0;
};

// received = reported - missing + unprovable, to within the slack of each life, what nobody could
// know, and the last ten seconds, a line each 100 ms, that no report has told of yet.
void ExpectBalance(const World& world, uint64_t seed) {
  const auto beyond = static_cast<int64_t>(world.received() + world.ledger().missing()) -
                      static_cast<int64_t>(world.reported() + world.ledger().unprovable());
  const auto slack = static_cast<int64_t>((kSlack + kRateMax) * world.lives() + 100);
  EXPECT_LE(beyond, slack + static_cast<int64_t>(world.unvouched())) << "seed " << seed;
  EXPECT_GE(beyond, -slack - static_cast<int64_t>(world.unclaimed())) << "seed " << seed;
}

TEST(LedgerPropertyTest, OfOneProcessEveryLostLineIsFoundAndNoOther) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    World world(seed, false, false);
    ASSERT_NO_FATAL_FAILURE(world.Run(seconds(30), true)) << "seed " << seed;
    ASSERT_NO_FATAL_FAILURE(world.Run(seconds(300), false)) << "seed " << seed;
    ASSERT_NO_FATAL_FAILURE(world.Run(seconds(120), true)) << "seed " << seed;
    EXPECT_GT(world.cuts(), 0u);
    ExpectBalance(world, seed);
  }
}

TEST(LedgerPropertyTest, LostReportsAndKilledProcessesAreNeverTakenForLoss) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    World world(seed, true, true);
    ASSERT_NO_FATAL_FAILURE(world.Run(seconds(600), false)) << "seed " << seed;
    ASSERT_NO_FATAL_FAILURE(world.Run(seconds(120), true)) << "seed " << seed;
    ExpectBalance(world, seed);
  }
}

}  // namespace
}  // namespace spire_exporter::telemetry
