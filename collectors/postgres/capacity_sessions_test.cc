#include "collectors/postgres/capacity_sessions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spire_exporter::postgres {
namespace {

constexpr int64_t kSpireRole = 10;

StatisticsScope ScopeOfSpire() {
  StatisticsScope scope;
  scope.roles = {{kSpireRole, false, {}}};
  return scope;
}

SessionGroup Clients(int64_t count, std::optional<std::string> state) {
  SessionGroup group;
  group.kind = "client backend";
  group.state = std::move(state);
  group.count = count;
  return group;
}

SessionGroup Spires(int64_t count, const std::string& address) {
  SessionGroup group = Clients(count, "idle");
  group.spire_role = kSpireRole;
  group.in_database = true;
  group.address = address;
  return group;
}

int64_t At(const std::array<int64_t, kSessionStateCount>& counts, SessionState state) {
  return counts[static_cast<size_t>(state)];
}

TEST(CapacitySessionsTest, CountsByState) {
  const SessionsReading reading{
      {Clients(1, "active"), Clients(2, "idle"), Clients(3, "idle in transaction"),
       Clients(4, "idle in transaction (aborted)"), Clients(5, "fastpath function call"),
       Clients(6, "disabled")},
      100,
      3};
  const SessionSummary summary = Summarize(reading, ScopeOfSpire());
  EXPECT_EQ(At(summary.connections, SessionState::kActive), 1);
  EXPECT_EQ(At(summary.connections, SessionState::kIdle), 2);
  EXPECT_EQ(At(summary.connections, SessionState::kIdleInTransaction), 7);
  EXPECT_EQ(At(summary.connections, SessionState::kOther), 11);
  EXPECT_EQ(At(summary.connections, SessionState::kHidden), 0);
  EXPECT_EQ(summary.available, 100 - 3 - 21);
  EXPECT_EQ(At(summary.spires, SessionState::kIdle), 0);
}

TEST(CapacitySessionsTest, OnlyClientsTakeConnections) {
  SessionsReading reading{{Clients(2, "idle")}, 10, 0};
  SessionGroup sender = Clients(3, "active");
  sender.kind = "walsender";
  SessionGroup vacuum = Clients(1, "active");
  vacuum.kind = "autovacuum worker";
  reading.groups.push_back(sender);
  reading.groups.push_back(vacuum);
  EXPECT_EQ(Summarize(reading, ScopeOfSpire()).available, 8);
}

TEST(CapacitySessionsTest, TheLeastLimitHolds) {
  const SessionsReading reading{{Spires(4, "10.0.0.1"), Clients(2, "idle")}, 100, 3};
  StatisticsScope scope = ScopeOfSpire();
  scope.database_limit = 20;
  EXPECT_EQ(Summarize(reading, scope).available, 16) << "the database's, which has four sessions";
  scope.roles.front().limit = 6;
  EXPECT_EQ(Summarize(reading, scope).available, 2) << "the role's";
  scope.roles.push_back({11, false, {}});
  EXPECT_EQ(Summarize(reading, scope).available, 16) << "the other role of SPIRE's has none";
  scope.database_limit = 1;
  EXPECT_EQ(Summarize(reading, scope).available, 0) << "never below";
}

TEST(CapacitySessionsTest, CountsAddressesAndWhatIsNotEncrypted) {
  SessionsReading reading{
      {Spires(4, "10.0.0.1"), Spires(1, "10.0.0.2"), Spires(2, "10.0.0.1")}, 100, 3};
  reading.groups[1].plaintext = true;
  const SessionSummary summary = Summarize(reading, ScopeOfSpire());
  EXPECT_EQ(summary.clients.size(), 2u);
  EXPECT_EQ(summary.plaintext, 1);
  EXPECT_EQ(summary.superuser, 0);
  StatisticsScope scope = ScopeOfSpire();
  scope.roles.front().superuser = true;
  EXPECT_EQ(Summarize(reading, scope).superuser, 7);
}

TEST(CapacitySessionsTest, WhatIsHiddenIsNotSeen) {
  SessionsReading reading{{Spires(4, ""), Clients(2, "idle")}, 100, 3};
  reading.groups[0].kind = "hidden";
  reading.groups[0].state.reset();
  const SessionSummary summary = Summarize(reading, ScopeOfSpire());
  EXPECT_EQ(At(summary.connections, SessionState::kHidden), 4);
  EXPECT_EQ(At(summary.spires, SessionState::kHidden), 4);
  EXPECT_EQ(summary.hidden, 4);
  EXPECT_EQ(summary.spires_hidden, 4);
  EXPECT_TRUE(summary.clients.empty());
  EXPECT_EQ(summary.available, 100 - 3 - 6) << "that they are there is seen";
}

TEST(CapacitySessionsTest, KeepsSnapshotsApartByHolder) {
  SessionsReading reading{{Clients(1, "active"), Clients(1, "active"), Clients(1, "active")}, 9, 0};
  reading.groups[0].xmin_age = 7;
  reading.groups[1].kind = "walsender";
  reading.groups[1].xmin_age = 99;
  reading.groups[2].kind = "autovacuum worker";
  reading.groups[2].xmin_age = 5000;
  const SessionSummary summary = Summarize(reading, ScopeOfSpire());
  EXPECT_EQ(summary.backend_xmin_age, 7);
  EXPECT_EQ(summary.feedback_xmin_age, 99);
}

}  // namespace
}  // namespace spire_exporter::postgres
