// What becomes a series, and what does not because it is not known.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "collectors/postgres/capacity_families.h"
#include "collectors/postgres/capacity_findings.h"
#include "collectors/postgres/locks_families.h"
#include "collectors/postgres/statistics_collector.h"
#include "collectors/postgres/statistics_memory.h"
#include "collectors/postgres/statistics_parts.h"

namespace spire_exporter::postgres {
namespace {

class StatisticsFamiliesTest : public ::testing::Test {
 protected:
  std::optional<double> Value(const std::string& name, const std::string& labels) {
    for (const Family& family : families_) {
      if (family.description->name != "spire_postgres_" + name) continue;
      for (const Series& series : family.series) {
        if (series.labels->rendered() == labels) return series.value;
      }
    }
    return std::nullopt;
  }
  std::optional<double> Value(const std::string& name) { return Value(name, "node=\"rw/0\""); }

  void Locks(const LocksReading& reading) {
    AddLocks("rw/0", reading, scope_, LockWaitLayout(), builder_);
    families_ = builder_.Take();
  }

  StatisticsScope scope_{1, {}, {{100, "bundles"}, {101, "selectors"}}, {{10, false, {}}}};
  FamilyBuilder builder_;
  FamilyList families_;
};

LocksReading::Waiter Waits(int64_t pid, std::vector<int64_t> blockers,
                           std::optional<double> seconds) {
  LocksReading::Waiter waiter;
  waiter.who = {pid, std::move(blockers)};
  waiter.examined = true;
  waiter.spires = true;
  waiter.seconds = seconds;
  return waiter;
}

TEST_F(StatisticsFamiliesTest, AnAgeThatIsHiddenIsAbsent) {
  LocksReading reading;
  reading.waiting_sessions = 1;
  reading.waiters = {Waits(2, {1}, std::nullopt)};
  Locks(reading);
  EXPECT_EQ(Value("lock_waiting_sessions"), 1);
  EXPECT_EQ(Value("lock_longest_wait_seconds"), std::nullopt);
  EXPECT_EQ(Value("spire_lock_waiting_sessions"), 1);
  EXPECT_EQ(Value("spire_lock_longest_wait_seconds"), std::nullopt);
  EXPECT_EQ(Value("blocking_root_state", "node=\"rw/0\",state=\"unknown\""), 1)
      << "a blocker that is gone";
  EXPECT_EQ(Value("blocking_root_transaction_seconds"), std::nullopt);
}

TEST_F(StatisticsFamiliesTest, TheWorstRootIsTheOneWithMostBehindIt) {
  LocksReading reading;
  reading.waiting_sessions = 4;
  reading.waiters = {Waits(2, {1}, 5), Waits(3, {9}, 8), Waits(4, {9}, 1), Waits(5, {}, 1)};
  reading.waiters.back().examined = false;
  reading.waiters[0].table = 100;
  reading.waiters[1].table = 7;  // not SPIRE's
  reading.blockers = {{1, {BlockerState::kActive, 100}}, {9, {BlockerState::kAutovacuum, 50}}};
  Locks(reading);
  EXPECT_EQ(Value("blocked_sessions"), 3);
  EXPECT_EQ(Value("blocking_roots"), 2);
  EXPECT_EQ(Value("blocking_root_blocked_sessions"), 2);
  EXPECT_EQ(Value("blocking_root_transaction_seconds"), 50);
  EXPECT_EQ(Value("blocking_root_state", "node=\"rw/0\",state=\"autovacuum\""), 1);
  EXPECT_EQ(Value("blocking_unexamined_sessions"), 1);
  EXPECT_EQ(Value("lock_longest_wait_seconds"), 8);
  EXPECT_EQ(Value("spire_tables_lock_waiting_sessions"), 1);
  EXPECT_EQ(Value("table_lock_waiting_sessions", "node=\"rw/0\",table=\"bundles\""), 1);
  EXPECT_EQ(Value("table_lock_waiting_sessions", "node=\"rw/0\",table=\"selectors\""),
            std::nullopt);
}

TEST_F(StatisticsFamiliesTest, WithoutSpiresTablesNothingIsSaidOfThem) {
  scope_ = {};
  Locks({});
  EXPECT_EQ(Value("spire_tables_lock_waiting_sessions"), std::nullopt);
  EXPECT_EQ(Value("spire_lock_waiting_sessions"), std::nullopt);
  EXPECT_EQ(Value("lock_waiting_sessions"), 0);
}

TEST_F(StatisticsFamiliesTest, ClassifiesWhoBlocks) {
  EXPECT_EQ(ClassifyBlocker("client backend", "active"), BlockerState::kActive);
  EXPECT_EQ(ClassifyBlocker("client backend", "idle in transaction (aborted)"),
            BlockerState::kIdleInTransaction);
  EXPECT_EQ(ClassifyBlocker("autovacuum worker", "active"), BlockerState::kAutovacuum);
  EXPECT_EQ(ClassifyBlocker("startup", std::nullopt), BlockerState::kReplay);
  EXPECT_EQ(ClassifyBlocker("logical replication worker", "active"), BlockerState::kOther);
  EXPECT_EQ(ClassifyBlocker(std::nullopt, std::nullopt), BlockerState::kUnknown);
}

TEST_F(StatisticsFamiliesTest, EveryCounterOfTheServerIsASeries) {
  DatabaseReading reading;
  for (const char* name :
       {"blocks_cache", "blocks_storage", "transactions_committed", "transactions_rolled_back",
        "temporary_files", "temporary_bytes", "deadlocks", "checksum_failures",
        "sessions_abandoned", "sessions_fatal", "sessions_killed", "checkpoints_timed",
        "checkpoints_requested", "checkpoint_write_seconds", "checkpoint_sync_seconds", "wal_bytes",
        "archived", "archive_failed"}) {
    reading.counters.push_back({name, 3, {}});
  }
  CounterRebase rebase;
  AddDatabase("rw/0", reading, rebase, builder_);
  size_t series = 0;
  for (const Family& family : builder_.Take()) series += family.series.size();
  EXPECT_EQ(series, reading.counters.size());
}

TEST_F(StatisticsFamiliesTest, FindingsThatCannotBeJudgedAreAbsent) {
  AddFindings("rw/0", nullptr, nullptr, scope_, builder_);
  EXPECT_TRUE(builder_.Take().empty());
  SettingsReading settings;
  settings.values = {{"fsync", "off"}};
  AddFindings("rw/0", nullptr, &settings, scope_, builder_);
  families_ = builder_.Take();
  EXPECT_EQ(Value("finding", "finding=\"fsync_off\",node=\"rw/0\""), 1);
  EXPECT_EQ(Value("finding", "finding=\"autovacuum_off\",node=\"rw/0\""), std::nullopt);
}

TEST_F(StatisticsFamiliesTest, AProblemNamesNodePartAndReason) {
  PartsReport report;
  report.Good("rw/0", StatisticsPart::kLocks, builder_);
  report.Bad("rw/0", StatisticsPart::kSize, {Code::kPermissionDenied, "no", "", false}, builder_);
  report.AllBad("ro/0", {Code::kUnavailable, "gone", "", true}, builder_);
  const Status summary = report.Summary();
  ASSERT_FALSE(summary.ok());
  EXPECT_EQ(summary.error().code, Code::kPermissionDenied);
  EXPECT_EQ(summary.error().what, "rw/0: no (and 1 more)");
  families_ = builder_.Take();
  EXPECT_EQ(Value("statistics_success", "node=\"rw/0\",part=\"locks\""), 1);
  EXPECT_EQ(Value("statistics_success", "node=\"rw/0\",part=\"size\""), 0);
  EXPECT_EQ(Value("statistics_problem", "node=\"rw/0\",part=\"size\",reason=\"permission_denied\""),
            1);
  EXPECT_EQ(Value("statistics_success", "node=\"ro/0\",part=\"spire\""), 0);
}

TEST_F(StatisticsFamiliesTest, DescriptionsAreWhole) {
  std::set<std::string_view> names;
  for (const FamilyDescription* family : StatisticsFamilies()) {
    EXPECT_TRUE(names.insert(family->name).second) << family->name;
    EXPECT_THAT(std::string(family->name), ::testing::StartsWith("spire_postgres_"));
    EXPECT_FALSE(family->help.empty() || family->source.empty()) << family->name;
    EXPECT_TRUE(family->help.ends_with('.')) << family->name;
    EXPECT_EQ(family->type == MetricType::kCounter, family->name.ends_with("_total"))
        << family->name;
    const bool seconds =
        family->name.ends_with("_seconds") || family->name.ends_with("_seconds_total");
    EXPECT_EQ(seconds, family->unit == "seconds") << family->name;
  }
}

TEST(StatisticsMemoryTest, AChangeIsSeenAcrossASilence) {
  StatisticsMemory memory;
  SettingsReading before, after;
  before.values = {{"fsync", "on"}};
  after.values = {{"fsync", "off"}};
  memory.TakeSettings(before, SteadyTime());
  memory.FallSilent();
  EXPECT_EQ(memory.settings.Value(), nullptr) << "too old to be told";
  memory.TakeSettings(after, SteadyTime());
  EXPECT_EQ(memory.setting_changes, 1u);
}

TEST(StatisticsMemoryTest, AnotherServerIsNotAChange) {
  StatisticsMemory memory;
  memory.LeadTo("10.0.0.1:5432");
  SettingsReading before, after;
  before.values = {{"fsync", "on"}};
  after.values = {{"fsync", "off"}};
  memory.TakeSettings(before, SteadyTime());
  memory.LeadTo("10.0.0.2:5432");
  memory.TakeSettings(after, SteadyTime());
  EXPECT_EQ(memory.setting_changes, 0u);
}

TEST(StatisticsMemoryTest, ForgetsNodesThatAreGone) {
  StatisticsMemories memories;
  Remember({{"rw/0", "rw", pg::Expect::kAny, "a", nullptr},
            {"ro/0", "ro", pg::Expect::kAny, "b", nullptr}},
           7, memories);
  EXPECT_EQ(memories.size(), 2u);
  memories["rw/0"].setting_changes = 3;
  Remember({{"rw/0", "rw", pg::Expect::kAny, "a", nullptr}}, 9, memories);
  ASSERT_EQ(memories.size(), 1u);
  EXPECT_EQ(memories["rw/0"].setting_changes, 3u);
  EXPECT_EQ(memories["rw/0"].created_seconds, 7);
}

}  // namespace
}  // namespace spire_exporter::postgres
