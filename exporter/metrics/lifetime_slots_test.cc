#include "exporter/metrics/lifetime_slots.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <span>
#include <vector>

namespace spire_exporter {
namespace {

constexpr int64_t kSlotsNow = 1'800'000'000;

// The last seconds of cells that become wider by `factor`.
std::vector<uint32_t> Lasts(double factor) {
  std::vector<uint32_t> lasts = {0};
  while (lasts.back() < LifetimeSlots::kEnd - 1) {
    const double next = std::max(lasts.back() + 1.0, lasts.back() * factor);
    lasts.push_back(static_cast<uint32_t>(std::min<double>(next, LifetimeSlots::kEnd - 1)));
  }
  return lasts;
}

// At every edge of a cell and of the range, and everywhere between.
std::vector<int64_t> Expiries(const std::vector<uint32_t>& lasts, std::mt19937_64& random) {
  using Limits = std::numeric_limits<int64_t>;
  std::vector<int64_t> all = {Limits::min(), Limits::max(), kSlotsNow - 1};
  for (const uint32_t last : lasts) {
    for (int64_t k = -1; k <= 1; ++k) all.push_back(kSlotsNow + last + k);
  }
  for (int bits = 1; bits < 32; ++bits) {
    for (int i = 0; i < 500; ++i) {
      const auto lives = static_cast<int64_t>(random() >> (64 - bits));
      all.push_back(random() % 4 == 0 ? kSlotsNow - lives : kSlotsNow + lives);
    }
  }
  for (int i = 0; i < 500; ++i) all.push_back(static_cast<int64_t>(random()));
  std::shuffle(all.begin(), all.end(), random);
  return all;
}

void HoldTwinsAgainstEachOther(double factor, uint64_t seed) {
  std::mt19937_64 random(seed);
  const std::vector<uint32_t> lasts = Lasts(factor);
  LifetimeSlots plain;
  ASSERT_TRUE(plain.Make(lasts));
  LifetimeSlots wide = plain;
  const std::vector<int64_t> all = Expiries(lasts, random);
  std::vector<int64_t> far_plain(kLifetimePiece + 1);
  std::vector<int64_t> far_wide(kLifetimePiece + 1);
  for (size_t at = 0; at < all.size();) {
    const size_t size = std::min<size_t>(random() % (kLifetimePiece + 1), all.size() - at);
    const auto piece = std::span<const int64_t>(all).subspan(at, size);
    at += size;
    const size_t found = SortLifetimesPlain(plain, piece, kSlotsNow, far_plain.data());
    ASSERT_EQ(SortLifetimesAvx2(wide, piece, kSlotsNow, far_wide.data()), found);
    ASSERT_TRUE(std::equal(far_plain.begin(), far_plain.begin() + static_cast<ptrdiff_t>(found),
                           far_wide.begin()));
    ASSERT_EQ(wide, plain);
  }
}

TEST(LifetimeSlotsTest, TheTwinsAgreeToTheLastBit) {
  if (!HasAvx2()) GTEST_SKIP() << "this processor has no AVX2";
  for (const double factor : {1.09, 1.19, 1.5, 2.0, 16.0}) {
    for (uint64_t seed = 1; seed <= 5; ++seed) {
      HoldTwinsAgainstEachOther(factor, seed);
    }
  }
}

TEST(LifetimeSlotsTest, EachLifetimeIsInItsCell) {
  std::mt19937_64 random(3);
  const std::vector<uint32_t> lasts = Lasts(1.09);
  LifetimeSlots slots;
  ASSERT_TRUE(slots.Make(lasts));
  ASSERT_EQ(slots.first.size(), lasts.size() + 1);
  std::vector<uint64_t> expected(lasts.size() + 1);
  uint64_t expired = 0;
  uint64_t sum = 0;
  std::vector<int64_t> far(kLifetimePiece + 1);
  std::vector<int64_t> beyond;
  std::vector<int64_t> found;
  for (const int64_t expiry : Expiries(lasts, random)) {
    const size_t many = SortLifetimesPlain(slots, {&expiry, 1}, kSlotsNow, far.data());
    found.insert(found.end(), far.begin(), far.begin() + static_cast<ptrdiff_t>(many));
    int64_t lives = 0;
    if (__builtin_sub_overflow(expiry, kSlotsNow, &lives)) {
      beyond.push_back(expiry);
    } else if (lives < 0) {
      ++expired;
    } else if (lives >= int64_t{LifetimeSlots::kEnd}) {
      beyond.push_back(expiry);
    } else {
      sum += static_cast<uint64_t>(lives);
      const auto cell = std::lower_bound(lasts.begin(), lasts.end(), static_cast<uint32_t>(lives));
      ++expected[static_cast<size_t>(cell - lasts.begin()) + 1];
    }
  }
  EXPECT_EQ(slots.expired, expired);
  EXPECT_EQ(slots.sum, sum);
  EXPECT_EQ(found, beyond);
  EXPECT_EQ(slots.min, 0u);
  EXPECT_EQ(slots.max, static_cast<int32_t>(LifetimeSlots::kEnd) - 1);
  for (size_t cell = 1; cell <= lasts.size(); ++cell) {
    uint64_t count = 0;
    for (size_t t = 0; t < LifetimeSlots::kTables; ++t) {
      count += slots.counts[cell * LifetimeSlots::kTables + t];
    }
    ASSERT_EQ(count, expected[cell]) << "cell " << cell;
  }
}

TEST(LifetimeSlotsTest, RefusesCellsThatItCannotPart) {
  LifetimeSlots slots;
  EXPECT_FALSE(slots.Make({0, 8'000'000, 8'000'001, LifetimeSlots::kEnd - 1}));
  EXPECT_TRUE(slots.Make({0, 8'000'000, 8'100'000, LifetimeSlots::kEnd - 1}));
}

}  // namespace
}  // namespace spire_exporter
