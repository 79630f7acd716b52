#include "collectors/telemetry/text_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

namespace spire_exporter::telemetry {
namespace {

using ::testing::HasSubstr;
using ::testing::Pair;

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::vector<ScrapedSeries> Parse(std::string_view page) {
  auto result = ParseTextPage(page);
  EXPECT_TRUE(result.ok()) << result.error().ToString();
  return result.ok() ? *std::move(result) : std::vector<ScrapedSeries>();
}

Error Failure(std::string_view page, const TextPageLimits& limits = {}) {
  const auto result = ParseTextPage(page, limits);
  EXPECT_FALSE(result.ok()) << page;
  return result.ok() ? Error{} : result.error();
}

TEST(TextPageTest, KeepsTheQuantilesThatASummaryShows) {
  const auto series = Parse(
      "# TYPE s summary\ns{q=\"1\",quantile=\"0.5\"} 2\ns{q=\"1\",quantile=\"0.9\"} NaN\n"
      "s{q=\"1\",quantile=\"0.95\"} 3\ns{q=\"1\",quantile=\"0.99\"} 4\ns_sum{q=\"1\"} 6\n"
      "s_count{q=\"1\"} 2\ns{q=\"2\",quantile=\"0.5\"} 7\n");
  ASSERT_EQ(series.size(), 1u) << "quantiles without a sum are no summary";
  EXPECT_EQ(series[0].quantiles[0], 2);
  EXPECT_TRUE(std::isnan(series[0].quantiles[1]));
  EXPECT_EQ(series[0].quantiles[2], 4);
}

TEST(TextPageTest, ReadsCountersGaugesAndSummaries) {
  const auto series = Parse(
      "# HELP a a\n# TYPE a counter\na{host=\"x\",status=\"OK\"} 3\n"
      "# TYPE g gauge\ng 1.795297127e+09\n"
      "# TYPE s summary\ns{q=\"1\",quantile=\"0.5\"} NaN\ns_sum{q=\"1\"} 2.5\ns_count{q=\"1\"} "
      "2\n");
  ASSERT_EQ(series.size(), 3u);
  EXPECT_EQ(series[0].key, "a");
  EXPECT_EQ(series[0].kind, WireKind::kCounter);
  EXPECT_THAT(series[0].tags, testing::ElementsAre(Pair("host", "x"), Pair("status", "OK")));
  EXPECT_EQ(series[0].value, 3);
  EXPECT_EQ(series[1].kind, WireKind::kGauge);
  EXPECT_EQ(series[1].value, 1795297127);
  EXPECT_EQ(series[2].kind, WireKind::kTimer);
  EXPECT_THAT(series[2].tags, testing::ElementsAre(Pair("q", "1")));
  EXPECT_EQ(series[2].value, 2.5);
  EXPECT_EQ(series[2].count, 2);
}

TEST(TextPageTest, LeavesOutTheRuntimeOfTheClientLibrary) {
  EXPECT_TRUE(Parse("# TYPE go_x gauge\ngo_x 1\n# TYPE process_y gauge\nprocess_y 1\n"
                    "# TYPE promhttp_z counter\npromhttp_z 1\n")
                  .empty());
}

TEST(TextPageTest, LeavesOutHistogramsAndWhatIsNoNumber) {
  EXPECT_TRUE(Parse("# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n"
                    "# TYPE g gauge\ng NaN\n# TYPE i gauge\ni +Inf\n# TYPE c counter\nc -1\n"
                    "# TYPE s summary\ns_sum 1\n# TYPE t summary\nt_count 1\nt_sum NaN\n"
                    "# TYPE u summary\nu_count 1.5\nu_sum 1\n# TYPE v gauge\nv 1e999\n")
                  .empty());
}

TEST(TextPageTest, TakesUntypedSamplesAsGauges) {
  const auto series = Parse("a 1\na{b=\"c\"} -2 1700000000000\n");
  ASSERT_EQ(series.size(), 2u);
  EXPECT_EQ(series[1].kind, WireKind::kGauge);
  EXPECT_EQ(series[1].value, -2);
}

TEST(TextPageTest, UndoesEscapes) {
  const auto series = Parse("a{b=\"\\\\ \\\" \\n {},=\"} 1\n");
  ASSERT_EQ(series.size(), 1u);
  EXPECT_EQ(series[0].tags[0].second, "\\ \" \n {},=");
}

TEST(TextPageTest, NeedsNoFinalLineFeed) {
  EXPECT_EQ(Parse("a 1").size(), 1u);
}

TEST(TextPageTest, NamesTheLineOfAnError) {
  EXPECT_THAT(Failure("# TYPE a counter\na 1\na x\n").what, HasSubstr("line 3: no number"));
}

TEST(TextPageTest, RefusesWhatIsNoPage) {
  for (const char* page : {"<!DOCTYPE html>\n",
                           "{\"a\": 1}",
                           "a\n",
                           "a b c\n",
                           "a{ 1\n",
                           "a{b} 1\n",
                           "a{b=c} 1\n",
                           "a{b=\"c} 1\n",
                           "a{b=\"c\"\n",
                           "a{b=\"\\x\"} 1\n",
                           "a{b=\"c\" d=\"e\"} 1\n",
                           "a 1 2 3\n",
                           "a 1 x\n",
                           "a nan\n",
                           "a infinity\n",
                           "a 0x10\n",
                           "a +-1\n",
                           "a 1_0\n",
                           "# TYPE\n",
                           "# TYPE a\n",
                           "# TYPE a stateset\n",
                           "9a 1\n",
                           "a{b=\"1\",b=\"2\"} 1\n",
                           "\x01\x02\n",
                           "# TYPE s summary\ns 1\n",
                           "a 1\r\n"}) {
    EXPECT_EQ(Failure(page).code, Code::kDataLoss) << page;
  }
}

TEST(TextPageTest, RefusesRepeatedSeriesAndFamilies) {
  EXPECT_THAT(Failure("a 1\na 2\n").what, HasSubstr("repeated series"));
  EXPECT_THAT(Failure("# TYPE s summary\ns_sum 1\ns_sum 1\n").what, HasSubstr("repeated series"));
  EXPECT_THAT(Failure("a 1\nb 1\na{c=\"d\"} 2\n").what, HasSubstr("second family"));
}

TEST(TextPageTest, TellsLabelsApartThatLookAlike) {
  EXPECT_EQ(Parse("a{b=\"c,d=e\"} 1\na{b=\"c\",d=\"e\"} 1\na{b=\"c\"} 1\n").size(), 3u);
}

TEST(TextPageTest, KeepsItsLimits) {
  TextPageLimits limits;
  limits.line_bytes = 40;
  limits.labels = 1;
  limits.series = 2;
  EXPECT_EQ(Failure("a{b=\"" + std::string(50, 'x') + "\"} 1\n", limits).code,
            Code::kResourceExhausted);
  EXPECT_EQ(Failure("a{b=\"\",c=\"\"} 1\n", limits).code, Code::kResourceExhausted);
  EXPECT_EQ(Failure("a 1\na{b=\"1\"} 1\na{b=\"2\"} 1\n", limits).code, Code::kResourceExhausted);
  EXPECT_EQ(Failure("go_a 1\ngo_b 1\ngo_c 1\n", limits).code, Code::kResourceExhausted);
}

TEST(TextPageTest, ReadsTheCapturedPages) {
  const std::string root = HOUSE_TESTDATA "/captures/";
  for (const std::string version : {"1.7.2", "1.8.0", "1.15.3"}) {
    for (const std::string page : {"server", "agent", "server-quiet", "server-idle"}) {
      const auto series = Parse(ReadFile(root + version + "/" + page + ".metrics.txt"));
      EXPECT_GT(series.size(), 20u) << version << page;
      for (const ScrapedSeries& each : series) EXPECT_TRUE(each.key.starts_with("spire_"));
    }
  }
}

// Whatever a peer does to a page, reading it ends, and each page is read the same way twice.
TEST(TextPageTest, SurvivesDamage) {
  const std::string good = ReadFile(HOUSE_TESTDATA "/captures/1.15.3/agent.metrics.txt");
  std::mt19937 random(7);  // fixed: a failure can be repeated
  const std::string bytes = "{}\",=\\\n #\t0eN+-_a\xff";
  size_t refused = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string page = good.substr(random() % good.size(), 1 + random() % 3000);
    for (size_t i = 0; i < 1 + random() % 8; ++i) {
      page[random() % page.size()] = bytes[random() % bytes.size()];
    }
    const auto first = ParseTextPage(page);
    const auto second = ParseTextPage(page);
    ASSERT_EQ(first.ok(), second.ok());
    if (!first.ok()) {
      ++refused;
      ASSERT_THAT(first.error().what, HasSubstr("line "));
    } else {
      ASSERT_EQ(first->size(), second->size());
    }
  }
  EXPECT_GT(refused, 500u);
}

}  // namespace
}  // namespace spire_exporter::telemetry
