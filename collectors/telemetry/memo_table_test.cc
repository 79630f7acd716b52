#include "collectors/telemetry/memo_table.h"

#include <gtest/gtest.h>

#include <string>

namespace spire_exporter::telemetry {
namespace {

Target Numbered(size_t number) {
  Target target;
  target.scale = static_cast<double>(number);
  return target;
}

std::string NameOf(size_t i) {
  return "spire_server.datastore.node" + std::to_string(i) + ".elapsed_time";
}

TEST(MemoTableTest, FindsWhatWasPutAndNothingElse) {
  MemoTable table(10'000, 1 << 20);
  for (size_t i = 1; i <= 5'000; ++i) {
    ASSERT_EQ(table.Find(NameOf(i), "|ms|#status:OK,host:a"), nullptr);
    table.Put(NameOf(i), "|ms|#status:OK,host:a", Numbered(i));
  }
  for (size_t i = 1; i <= 5'000; ++i) {
    const Target* const target = table.Find(NameOf(i), "|ms|#status:OK,host:a");
    ASSERT_NE(target, nullptr);
    ASSERT_EQ(target->scale, static_cast<double>(i));
    ASSERT_EQ(table.Find(NameOf(i), "|ms|#status:OK,host:b"), nullptr);
  }
}

TEST(MemoTableTest, TellsWhereTheNameEnds) {
  MemoTable table(100, 1 << 16);
  table.Put("ab", "c|g", Numbered(1));
  EXPECT_EQ(table.Find("a", "bc|g"), nullptr);
  EXPECT_NE(table.Find("ab", "c|g"), nullptr);
}

TEST(MemoTableTest, TakesKeysOfEveryLength) {
  MemoTable table(10'000, 1 << 20);
  const std::string text(70, 'x');
  for (size_t name = 1; name <= 64; ++name) {
    for (size_t rest = 1; rest <= 64; ++rest) {
      table.Put(text.substr(0, name), text.substr(0, rest), Numbered(name * 100 + rest));
    }
  }
  for (size_t name = 1; name <= 64; ++name) {
    for (size_t rest = 1; rest <= 64; ++rest) {
      const Target* const target = table.Find(text.substr(0, name), text.substr(0, rest));
      ASSERT_NE(target, nullptr) << name << " " << rest;
      ASSERT_EQ(target->scale, static_cast<double>(name * 100 + rest));
    }
  }
}

TEST(MemoTableTest, KeysThatCollideAreFoundAllTheSame) {
  // The weak hash does not see the middle of a long name: all of these have the same.
  MemoTable table(4'000, 1 << 20);
  const std::string tail(30, 't');
  for (size_t i = 0; i < 3'000; ++i) {
    table.Put(std::to_string(10'000 + i) + tail, "|c", Numbered(i));
  }
  for (size_t i = 0; i < 3'000; ++i) {
    const Target* const target = table.Find(std::to_string(10'000 + i) + tail, "|c");
    ASSERT_NE(target, nullptr);
    ASSERT_EQ(target->scale, static_cast<double>(i));
  }
  EXPECT_EQ(table.Find("19999" + tail, "|c"), nullptr);
}

TEST(MemoTableTest, WhatCollidesCostsABoundedNumberOfSteps) {
  // The weak hash sees the last 24 bytes of a name, and three words of the rest: all the same here.
  constexpr size_t kKeys = 10'000;
  MemoTable table(kKeys, 1 << 20);
  const std::string tail(24, 't');
  const std::string rest(24, 'r');
  for (size_t i = 0; i < kKeys; ++i) {
    const std::string name = std::to_string(10'000 + i) + tail;
    table.Put(name, rest, Numbered(i));
    // Just after it is put, or all of them once they are there: 16 places of the first table, and
    // of the second what a run has in a table that is half full at most.
    const MemoTable::Effort effort = table.EffortOf(name, rest);
    ASSERT_LE(effort.places, 16u + 150u);
    ASSERT_LE(effort.keys, 16u + 2u);
  }
  EXPECT_EQ(table.size(), kKeys);
  size_t places = 0;
  for (size_t i = 0; i < kKeys; ++i) {
    const std::string name = std::to_string(10'000 + i) + tail;
    ASSERT_EQ(table.Find(name, rest)->scale, static_cast<double>(i));
    const MemoTable::Effort effort = table.EffortOf(name, rest);
    ASSERT_LE(effort.keys, 16u + 2u);
    places += effort.places;
  }
  EXPECT_LT(places, kKeys * 20);
  // What is not there costs no more.
  for (size_t i = 0; i < kKeys; ++i) {
    const std::string name = std::to_string(50'000 + i) + tail;
    ASSERT_EQ(table.Find(name, rest), nullptr);
    ASSERT_LE(table.EffortOf(name, rest).keys, 16u + 1u);
  }
}

TEST(MemoTableTest, StartsOverWhenItIsFull) {
  MemoTable table(100, 1 << 20);
  for (size_t i = 0; i < 1'000; ++i) {
    table.Put(NameOf(i), "|c", Numbered(i));
    ASSERT_LE(table.size(), 100u);
    ASSERT_NE(table.Find(NameOf(i), "|c"), nullptr);
  }
  MemoTable small(1'000'000, 4'096);
  for (size_t i = 0; i < 10'000; ++i) small.Put(NameOf(i), "|c", Numbered(i));
  EXPECT_LE(small.bytes(), size_t{64} << 10);
}

TEST(KeyedHashTest, IsSipHashWithOneAndThreeRounds) {
  // The first vector of the Rust standard library (tests of core::hash::SipHasher13).
  const KeyedHash hash(0x0706050403020100, 0x0f0e0d0c0b0a0908);
  EXPECT_EQ(hash(""), 0xabac0158050fc4dcu);
  EXPECT_NE(hash("a"), hash("b"));
  EXPECT_NE(KeyedHash(1, 2)("a"), KeyedHash(1, 3)("a"));
  const KeyedHash one;
  const KeyedHash two;
  EXPECT_NE(one("a"), two("a"));
}

}  // namespace
}  // namespace spire_exporter::telemetry
