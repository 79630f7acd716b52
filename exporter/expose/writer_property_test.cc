// What holds for any page: every double comes back, and any text in labels and help gives a page
// that can be read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "exporter/expose/number.h"
#include "exporter/expose/strict_reader.h"
#include "exporter/expose/test_pages.h"

namespace spire_exporter {
namespace {

constexpr std::array kLabels = {LabelDescription{"a", "any"}, LabelDescription{"b", "any"}};

FamilyDescription Of(MetricType type, std::string_view name, std::string_view help) {
  FamilyDescription description;
  description.name = name;
  description.type = type;
  description.labels = kLabels;
  description.help = help;
  return description;
}

// Bit patterns of all kinds, and values as measurements have them.
double RandomDouble(std::mt19937_64& random) {
  const uint64_t bits = random();
  switch (bits % 4) {
    case 0:
      return static_cast<double>(static_cast<int64_t>(random()) >> (bits / 4 % 64));
    case 1:
      return static_cast<double>(bits >> 40) / 1000;
    default:
      return std::bit_cast<double>(random());
  }
}

bool Same(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) ||
         std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b);
}

class RoundTrip : public testing::TestWithParam<Format> {};

TEST_P(RoundTrip, AMillionRandomDoublesComeBack) {
  constexpr size_t kSeries = 10'000;
  constexpr size_t kPages = 100;
  const FamilyDescription gauge = Of(MetricType::kGauge, "lab_value", "");
  FamilyBuilder builder;
  for (size_t i = 0; i < kSeries; ++i) builder.Add(gauge, {std::to_string(i), ""}, 0);
  auto snapshot = std::make_shared<Snapshot>(*Take(builder));
  std::mt19937_64 random(20'261'121);
  for (size_t n = 0; n < kPages; ++n) {
    for (Series& series : snapshot->families[0].series) series.value = RandomDouble(random);
    const Page page = Page::Merge({snapshot});
    const std::string text = Render(GetParam(), page);
    // By hand and not by the reader, whose sets would take most of the time.
    size_t at = text.find("\nlab_value{") + 1;
    for (const Series* series : page.families()[0].series) {
      const size_t blank = text.find("} ", at) + 2;
      const size_t end = text.find('\n', blank);
      const double read = std::strtod(text.substr(blank, end - blank).c_str(), nullptr);
      ASSERT_TRUE(Same(read, series->value)) << text.substr(at, end - at);
      at = end + 1;
    }
    ASSERT_EQ(text.substr(at), GetParam() == Format::kOpenMetrics ? "# EOF\n" : "");
  }
}

// Text as an attacker would send it: much of what is special, broken UTF-8, and controls.
std::string RandomText(std::mt19937_64& random) {
  static constexpr std::array<std::string_view, 16> kPieces = {
      "\\", "\"", "\n",   "n",      "{",  "}",        "=",     ",",
      " ",  "#",  "\xC3", "\u00e4", "\r", "\xED\xA0", "# EOF", "\u2028"};
  std::string text;
  for (uint64_t left = random() % 12; left > 0; --left) {
    const uint64_t pick = random() % 20;
    if (pick < kPieces.size()) {
      text += kPieces[pick];
    } else {
      text += static_cast<char>(random() % 256);
    }
  }
  return text;
}

// Help is written by us, so that it is valid text.
std::string RandomHelp(std::mt19937_64& random) {
  std::string help;
  for (const char c : RandomText(random)) help += c >= 0 ? c : '?';
  return help;
}

TEST_P(RoundTrip, AnyTextInLabelsAndHelpComesBack) {
  std::mt19937_64 random(4711);
  for (int round = 0; round < 2000; ++round) {
    const std::string help = RandomHelp(random);
    const std::string a = RandomText(random);
    const std::string b = RandomText(random);
    const FamilyDescription counter = Of(MetricType::kCounter, "lab_a_total", help);
    const FamilyDescription histogram = Of(MetricType::kHistogram, "lab_b", help);
    const FamilyDescription gauges = Of(MetricType::kGaugeHistogram, "lab_c", help);
    FamilyBuilder builder;
    builder.Add(counter, {a, b}, 1);
    builder.Add(counter, {b, a}, 2);
    builder.Add(histogram, {a, b}, ClassicHistogram({1}, {1}, 2, 3));
    builder.Add(gauges, {a, b}, ClassicHistogram({1}, {1}, 2, 3));
    const auto snapshot = Take(builder);
    const std::string page = Render(GetParam(), Page::Merge({snapshot}));
    const auto read = ReadStrictly(GetParam(), page);
    ASSERT_TRUE(read) << read.error().ToString() << "\n" << page;
    ASSERT_EQ(read->size(), GetParam() == Format::kText ? 5u : 3u);
    for (const ReadFamily& family : *read) ASSERT_EQ(family.help, help);
    const LabelSet& labels = *snapshot->families[1].series[0].labels;
    const ReadSample& bucket = (*read)[1].samples[0];
    ASSERT_EQ(bucket.Get("a"), labels.Get("a"));
    ASSERT_EQ(bucket.Get("b"), labels.Get("b"));
    ASSERT_EQ(bucket.Get("le"), "1.0");
  }
}

std::string FormatName(const testing::TestParamInfo<Format>& param) {
  return param.param == Format::kText ? "Text" : "OpenMetrics";
}

INSTANTIATE_TEST_SUITE_P(Formats, RoundTrip, testing::Values(Format::kText, Format::kOpenMetrics),
                         FormatName);

TEST(BoundPropertyTest, EveryBoundComesBackAndReadsAsAFloat) {
  std::mt19937_64 random(815);
  for (int i = 0; i < 200'000; ++i) {
    const double bound = RandomDouble(random);
    if (!std::isfinite(bound)) continue;
    char text[kNumberMax];
    const std::string written(text, WriteBound(text, bound));
    ASSERT_EQ(std::strtod(written.c_str(), nullptr), bound) << written;
    ASSERT_NE(written.find_first_of(".e"), std::string::npos) << written;
  }
}

}  // namespace
}  // namespace spire_exporter
