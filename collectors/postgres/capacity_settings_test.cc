#include "collectors/postgres/capacity_settings.h"

#include <gtest/gtest.h>

namespace spire_exporter::postgres {
namespace {

constexpr int64_t kDatabase = 5, kSpire = 10, kOurs = 20;

StatisticsScope Scope() {
  StatisticsScope scope;
  scope.database = kDatabase;
  scope.roles = {{kSpire, false, {}}};
  return scope;
}

RawSettings Raw(std::vector<SettingOverride> overrides) {
  RawSettings raw;
  raw.settings = {{"statement_timeout", "2000", "ms", "integer"},
                  {"synchronous_commit", "on", "", "enum"},
                  {"synchronous_standby_names", "1", "", "string"},
                  {"max_slot_wal_keep_size", "-1", "MB", "integer"}};
  raw.overrides = std::move(overrides);
  raw.our_role = kOurs;
  return raw;
}

std::optional<double> Timeout(std::vector<SettingOverride> overrides) {
  return EffectiveSettings(Raw(std::move(overrides)), Scope()).Number("statement_timeout");
}

TEST(CapacitySettingsTest, NumbersComeInBaseUnits) {
  EXPECT_EQ(ParseSetting("2000", "ms"), 2);
  EXPECT_EQ(ParseSetting("5min", "ms"), 300);
  EXPECT_EQ(ParseSetting("1.5h", "s"), 5400);
  EXPECT_EQ(ParseSetting("4", "8kB"), 32768);
  EXPECT_EQ(ParseSetting("2 GB", "MB"), 2147483648.0);
  EXPECT_EQ(ParseSetting("-1", "MB"), -1) << "no limit, not minus a megabyte";
  EXPECT_EQ(ParseSetting("40", ""), 40);
  EXPECT_EQ(ParseSetting("", "ms"), std::nullopt);
  EXPECT_EQ(ParseSetting("on", ""), std::nullopt);
  EXPECT_EQ(ParseSetting("5 parsecs", "ms"), std::nullopt);
}

TEST(CapacitySettingsTest, TheFileHoldsWhereNothingElseIsSaid) {
  EXPECT_EQ(Timeout({}), 2);
  const SettingsReading reading = EffectiveSettings(Raw({}), Scope());
  EXPECT_EQ(reading.Find("synchronous_commit"), "on");
  EXPECT_EQ(reading.Find("synchronous_standby_names"), "1") << "a name, not a number";
  EXPECT_EQ(reading.Number("max_slot_wal_keep_size"), -1);
  EXPECT_EQ(reading.Find("wal_level"), std::nullopt);
}

TEST(CapacitySettingsTest, SpiresRoleGoesFirst) {
  EXPECT_EQ(Timeout({{0, kSpire, "statement_timeout=5s"}}), 5);
  EXPECT_EQ(
      Timeout({{0, kSpire, "statement_timeout=5s"}, {kDatabase, kSpire, "statement_timeout=6s"}}),
      6);
  EXPECT_EQ(Timeout({{0, kSpire, "statement_timeout_more=5s"}}), 2);
}

TEST(CapacitySettingsTest, WhatOurOwnRoleHasSaysNothingOfSpires) {
  EXPECT_EQ(Timeout({{0, kOurs, "statement_timeout=3s"}}), std::nullopt);
  EXPECT_EQ(Timeout({{0, kOurs, "statement_timeout=3s"}, {kDatabase, 0, "statement_timeout=9s"}}),
            9)
      << "the database's holds for both";
  EXPECT_EQ(Timeout({{0, kOurs, "statement_timeout=3s"}, {0, kSpire, "statement_timeout=5s"}}), 5);
}

TEST(CapacitySettingsTest, ATruthHasSeveralWords) {
  for (const char* word : {"off", "false", "no", "0"}) {
    const SettingsReading reading =
        EffectiveSettings(Raw({{0, kSpire, std::string("synchronous_commit=") + word}}), Scope());
    EXPECT_EQ(reading.Find("synchronous_commit"), "off") << word;
  }
}

TEST(CapacitySettingsTest, OnlyWhatBothTellDiffers) {
  SettingsReading a, b;
  a.values = {{"fsync", "on"}, {"wal_level", "replica"}, {"lock_timeout", "0"}};
  b.values = {{"fsync", "off"}, {"wal_level", "replica"}, {"statement_timeout", "0"}};
  EXPECT_EQ(CountDifferences(a, b), 1);
  EXPECT_EQ(CountDifferences(a, a), 0);
}

}  // namespace
}  // namespace spire_exporter::postgres
