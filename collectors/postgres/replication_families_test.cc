#include "collectors/postgres/replication_families.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "collectors/postgres/replication_test_util.h"

namespace spire_exporter::postgres {
namespace {

using std::chrono::seconds;

using Page = std::map<std::string, double>;  // `name{labels}`

Page Render(const std::vector<NodeKnown>& nodes, SteadyTime now = SteadyTime(seconds(1000))) {
  std::vector<NodeView> views;
  for (const NodeKnown& node : nodes) views.push_back(node.view);
  ReplicationJudge judge{seconds(1)};
  FamilyBuilder builder;
  AddReplication(nodes, judge.Judge(views, now), &builder);
  Page page;
  for (const Family& family : builder.Take()) {
    page[std::string(family.description->name)] = static_cast<double>(family.series.size());
    for (const Series& series : family.series) {
      page[std::string(family.description->name) + "{" + std::string(series.labels->rendered()) +
           "}"] = series.value;
    }
  }
  return page;
}

NodeKnown Known(NodeView view, int version = 170'005) {
  NodeKnown node;
  node.view = std::move(view);
  node.version = version;
  node.surroundings.emplace();
  return node;
}

SlotReading Slot(std::string name) {
  SlotReading slot;
  slot.name = std::move(name);
  return slot;
}

constexpr SteadyTime kNow = SteadyTime(seconds(1000));

TEST(ReplicationFamiliesTest, ANodeThatDoesNotAnswerIsAFactWithAReason) {
  const Page page = Render({Known(Failed(StandbyAt("ro/0", kNow, 1), NodeState::kGone))});
  EXPECT_EQ(page.at("spire_postgres_up{node=\"ro/0\"}"), 0);
  EXPECT_EQ(page.at("spire_postgres_node_state{node=\"ro/0\",state=\"gone\"}"), 1);
  EXPECT_EQ(page.at("spire_postgres_node_state{node=\"ro/0\",state=\"standby\"}"), 0);
  EXPECT_EQ(page.at("spire_postgres_replication_state{node=\"ro/0\",state=\"unread\"}"), 1);
  EXPECT_EQ(page.at("spire_postgres_replication_lag_state{node=\"ro/0\",state=\"unread\"}"), 1);
  EXPECT_EQ(page.at("spire_postgres_cluster_state{state=\"unreachable\"}"), 1);
  EXPECT_EQ(page.at("spire_postgres_replication_lag_seconds"), 0) << "declared, without a series";
  EXPECT_EQ(page.at("spire_postgres_node_role_met"), 0);
  EXPECT_EQ(page.at("spire_postgres_writable_servers"), 0) << "not known to be none";
}

TEST(ReplicationFamiliesTest, EveryFamilyIsThereEachRoundSoThatNothingOldIsKept) {
  const Page page = Render({});
  for (const FamilyDescription* description : ReplicationFamilies()) {
    EXPECT_EQ(page.count(std::string(description->name)), 1u) << description->name;
  }
}

TEST(ReplicationFamiliesTest, ZeroOnlyWhereItIsKnown) {
  NodeKnown primary = Known(PrimaryAt("rw/0", kNow, 5000));
  primary.surroundings->senders.emplace();
  NodeKnown standby = Known(StandbyAt("ro/0", kNow, 5000));
  standby.view.settings->may_read_stats = false;
  standby.view.position->receiver = ReceiverReading{};
  standby.surroundings->conflicts[1] = 7;
  const Page page = Render({primary, standby});
  EXPECT_EQ(page.at("spire_postgres_replication_lag_seconds{node=\"ro/0\"}"), 0);
  EXPECT_EQ(page.at("spire_postgres_replication_lag_bytes{node=\"ro/0\"}"), 0);
  EXPECT_EQ(page.count("spire_postgres_replication_lag_seconds{node=\"rw/0\"}"), 0u);
  EXPECT_EQ(page.at("spire_postgres_receiver_running{node=\"ro/0\"}"), 1);
  EXPECT_EQ(page.at("spire_postgres_receiver_message_age_seconds"), 0);
  EXPECT_EQ(page.at("spire_postgres_right{node=\"ro/0\",right=\"pg_read_all_stats\"}"), 0);
  EXPECT_EQ(page.at("spire_postgres_right{node=\"rw/0\",right=\"pg_read_all_stats\"}"), 1);
  EXPECT_EQ(page.at("spire_postgres_senders{node=\"rw/0\",state=\"streaming\"}"), 0);
  EXPECT_EQ(page.count("spire_postgres_senders{node=\"ro/0\",state=\"streaming\"}"), 0u);
  EXPECT_EQ(page.at("spire_postgres_recovery_conflicts_total{node=\"ro/0\",reason=\"lock\"}"), 7);
  EXPECT_EQ(page.at("spire_postgres_recovery_conflicts_total"), 1);
  EXPECT_EQ(page.at("spire_postgres_info{node=\"rw/0\",version=\"17.5\"}"), 1);
  EXPECT_EQ(page.at("spire_postgres_node_role_met{node=\"ro/0\"}"), 1);
  EXPECT_EQ(page.at("spire_postgres_wal_position_bytes{node=\"ro/0\"}"), 5000);
  EXPECT_EQ(page.at("spire_postgres_cluster_state{state=\"healthy\"}"), 1);
}

TEST(ReplicationFamiliesTest, ASlotSaysWhatItIs) {
  SlotReading slot = Slot("s");
  EXPECT_EQ(StateOfSlot(slot), SlotState::kUnused);
  slot.restart = 100;
  EXPECT_EQ(StateOfSlot(slot), SlotState::kInactive);
  slot.active = true;
  EXPECT_EQ(StateOfSlot(slot), SlotState::kActive);
  slot.wal_status = "lost";
  EXPECT_EQ(StateOfSlot(slot), SlotState::kLost) << "its sender may live a little longer";
  slot.conflicting = true;
  EXPECT_EQ(StateOfSlot(slot), SlotState::kInvalidated);
  slot.invalidation_reason = "wal_removed";
  EXPECT_EQ(StateOfSlot(slot), SlotState::kLost);
  slot.invalidation_reason = "idle_timeout";
  EXPECT_EQ(StateOfSlot(slot), SlotState::kInvalidated);
}

TEST(ReplicationFamiliesTest, SlotsShowWhatTheyKeepAndSinceWhen) {
  NodeKnown primary = Known(PrimaryAt("rw/0", kNow, 5000));
  SlotReading slot = Slot("standby_1");
  slot.restart = 2000;
  slot.safe_wal_size = -300;
  slot.inactive_since = 1.5e9;
  SlotReading lost = Slot("standby_2");
  lost.wal_status = "lost";
  lost.invalidation_reason = "wal_removed";
  primary.surroundings->slots = {slot, lost};
  primary.surroundings->slots_total = 2;
  primary.slots_inactive_since["standby_2"] = 1.6e9;
  Page page = Render({primary});
  const std::string one = "{node=\"rw/0\",slot=\"standby_1\"}";
  const std::string two = "{node=\"rw/0\",slot=\"standby_2\"}";
  EXPECT_EQ(page.at("spire_postgres_slot_retained_bytes" + one), 3000);
  EXPECT_EQ(page.count("spire_postgres_slot_retained_bytes" + two), 0u);
  EXPECT_EQ(page.at("spire_postgres_slot_safe_bytes" + one), -300);
  EXPECT_EQ(page.at("spire_postgres_slot_inactive_since_timestamp_seconds" + one), 1.5e9);
  EXPECT_EQ(page.at("spire_postgres_slot_inactive_since_timestamp_seconds" + two), 1.6e9);
  EXPECT_EQ(page.at("spire_postgres_slot_invalidation{node=\"rw/0\",reason=\"wal_removed\",slot="
                    "\"standby_2\"}"),
            1);
  EXPECT_EQ(page.at("spire_postgres_slots{node=\"rw/0\"}"), 2);
  primary.version = 150'018;
  page = Render({primary});
  EXPECT_EQ(page.at("spire_postgres_slot_invalidation"), 0) << "not known before 17";
}

TEST(ReplicationFamiliesTest, SlotsOfAHostileServerStayBoundedAndClean) {
  std::vector<NodeKnown> nodes;
  for (int n = 0; n < 4; ++n) {
    NodeKnown node = Known(PrimaryAt("rw/" + std::to_string(n), kNow, 5000));
    for (int i = 0; i < 32; ++i) {
      node.surroundings->slots.push_back(Slot(std::string(200, 'x') + "\"\n" + std::to_string(i)));
      node.surroundings->slots.push_back(Slot("a\"b\nc" + std::to_string(i)));
    }
    nodes.push_back(std::move(node));
  }
  const Page page = Render(nodes);
  EXPECT_LE(page.at("spire_postgres_slot_state"), 64 * 5);
  for (const auto& [name, value] : page) EXPECT_LT(name.size(), 200u);
  EXPECT_EQ(page.count("spire_postgres_slot_state{node=\"rw/0\",slot=\"a_b_c1\",state=\"unused\"}"),
            1u);
}

TEST(ReplicationFamiliesTest, AServerThatDoesNotSaySinceWhenIsWatched) {
  std::map<std::string, double, std::less<>> since;
  SlotReading slot = Slot("s");
  slot.active = true;
  WatchSlots({slot}, 100, &since);
  EXPECT_TRUE(since.empty());
  slot.active = false;
  WatchSlots({slot}, 105, &since);
  WatchSlots({slot}, 110, &since);
  EXPECT_EQ(since.at("s"), 105);
  slot.active = true;
  WatchSlots({slot}, 115, &since);
  EXPECT_TRUE(since.empty());
  WatchSlots({Slot("a"), Slot("b")}, 120, &since);
  WatchSlots({Slot("b")}, 125, &since);
  EXPECT_EQ(since.size(), 1u) << "a slot that is gone is forgotten";
}

TEST(ReplicationFamiliesTest, DescriptionsHoldTheHouseRules) {
  std::set<std::string_view> names;
  for (const FamilyDescription* family : ReplicationFamilies()) {
    EXPECT_TRUE(names.insert(family->name).second) << family->name;
    EXPECT_TRUE(family->name.starts_with("spire_postgres_")) << family->name;
    EXPECT_TRUE(family->help.ends_with(".")) << family->name;
    EXPECT_FALSE(family->source.empty()) << family->name;
    if (!family->unit.empty()) {
      EXPECT_TRUE(family->name.ends_with(family->unit)) << family->name;
    }
  }
}

}  // namespace
}  // namespace spire_exporter::postgres
