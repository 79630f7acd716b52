#include "exporter/expose/gzip.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <thread>
#include <vector>

namespace spire_exporter {
namespace {

constexpr size_t kPlenty = size_t{1} << 26;

std::string Repeated(size_t size) {
  std::string text;
  while (text.size() < size)
    text += "spire_calls_total{service=\"agent\"} 1" + std::to_string(text.size());
  text.resize(size);
  return text;
}

std::string Random(size_t size) {
  std::mt19937_64 random(1);
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random() & 0xFF);
  return bytes;
}

TEST(GzipTest, BodiesComeBack) {
  Gzip gzip;
  for (const size_t size : {size_t{0}, size_t{1}, size_t{100}, size_t{65'536}, size_t{3'000'001}}) {
    for (const std::string& body : {Repeated(size), Random(size)}) {
      const auto compressed = gzip.Compress(body);
      ASSERT_TRUE(compressed);
      ASSERT_GE(compressed->size(), 18u);
      EXPECT_EQ(compressed->substr(0, 3), "\x1f\x8b\x08");  // gzip, deflate
      const auto back = Gunzip(*compressed, kPlenty);
      ASSERT_TRUE(back) << back.error().what;
      EXPECT_TRUE(*back == body);
    }
  }
}

TEST(GzipTest, MakesPagesSmallAndAlwaysTheSame) {
  Gzip gzip;
  const std::string body = Repeated(1'000'000);
  const auto first = gzip.Compress(body);
  ASSERT_TRUE(first);
  EXPECT_LT(first->size(), body.size() / 5);
  EXPECT_EQ(*gzip.Compress(body), *first);
  EXPECT_EQ(*Gzip().Compress(body), *first);
}

TEST(GzipTest, ServesSeveralThreads) {
  Gzip gzip;
  const std::string body = Repeated(200'000);
  const std::string expected = *gzip.Compress(body);
  std::vector<std::string> results(8);
  std::vector<std::thread> threads;
  for (std::string& result : results) {
    threads.emplace_back([&] { result = *gzip.Compress(body); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& result : results) EXPECT_EQ(result, expected);
}

TEST(GunzipTest, RefusesWhatIsNotOneWholeMember) {
  Gzip gzip;
  const std::string good = *gzip.Compress("body");
  EXPECT_EQ(Gunzip("", kPlenty).error().code, Code::kInvalidArgument);
  EXPECT_EQ(Gunzip("no gzip at all", kPlenty).error().code, Code::kInvalidArgument);
  EXPECT_EQ(Gunzip(good.substr(0, good.size() - 1), kPlenty).error().code, Code::kInvalidArgument);
  EXPECT_EQ(Gunzip(good + "x", kPlenty).error().code, Code::kInvalidArgument);
  std::string changed = good;
  changed[changed.size() - 5] ^= 1;  // the checksum
  EXPECT_EQ(Gunzip(changed, kPlenty).error().code, Code::kInvalidArgument);
}

TEST(GunzipTest, StopsAtTheBound) {
  Gzip gzip;
  const std::string bomb = *gzip.Compress(std::string(1'000'000, 'x'));
  EXPECT_EQ(Gunzip(bomb, 999'999).error().code, Code::kResourceExhausted);
  const auto whole = Gunzip(bomb, 1'000'000);
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->size(), 1'000'000u);
}

}  // namespace
}  // namespace spire_exporter
