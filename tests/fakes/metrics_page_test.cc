#include "tests/fakes/metrics_page.h"

#include <gtest/gtest.h>

namespace spire_exporter::fakes {
namespace {

using std::chrono::seconds;

std::string Written(const MetricsPage& page, SteadyTime now) {
  std::string text;
  page.Write(now, &text);
  return text;
}

TEST(MetricsPageTest, FamiliesSeriesAndLabelsAreSorted) {
  MetricsPage page;
  page.Find("b_calls", MetricsPage::Type::kCounter, {{"status", "OK"}, {"host", "vm"}})->Add(3);
  page.Find("b_calls", MetricsPage::Type::kCounter, {{"status", "Internal"}, {"host", "vm"}})
      ->Add(1);
  page.Find("a_size", MetricsPage::Type::kGauge, {})->Set(1.5e7);
  EXPECT_EQ(Written(page, SteadyTime{}),
            "# HELP a_size a_size\n"
            "# TYPE a_size gauge\n"
            "a_size 1.5e+07\n"
            "# HELP b_calls b_calls\n"
            "# TYPE b_calls counter\n"
            "b_calls{host=\"vm\",status=\"Internal\"} 1\n"
            "b_calls{host=\"vm\",status=\"OK\"} 3\n");
}

TEST(MetricsPageTest, QuantilesAreNaNOnceTheirTenSecondsAreOver) {
  MetricsPage page;
  MetricsPage::Series* series = page.Find("t", MetricsPage::Type::kSummary, {{"host", "vm"}});
  for (int i = 1; i <= 100; ++i) series->Observe(i, SteadyTime(seconds(1)));
  EXPECT_EQ(Written(page, SteadyTime(seconds(9))),
            "# HELP t t\n"
            "# TYPE t summary\n"
            "t{host=\"vm\",quantile=\"0.5\"} 50\n"
            "t{host=\"vm\",quantile=\"0.9\"} 90\n"
            "t{host=\"vm\",quantile=\"0.99\"} 99\n"
            "t_sum{host=\"vm\"} 5050\n"
            "t_count{host=\"vm\"} 100\n");
  EXPECT_EQ(Written(page, SteadyTime(seconds(11))),
            "# HELP t t\n"
            "# TYPE t summary\n"
            "t{host=\"vm\",quantile=\"0.5\"} NaN\n"
            "t{host=\"vm\",quantile=\"0.9\"} NaN\n"
            "t{host=\"vm\",quantile=\"0.99\"} NaN\n"
            "t_sum{host=\"vm\"} 5050\n"
            "t_count{host=\"vm\"} 100\n");
}

TEST(MetricsPageTest, AFloodOfValuesIsThinnedOutButCountedInFull) {
  MetricsPage page;
  MetricsPage::Series* series = page.Find("t", MetricsPage::Type::kSummary, {});
  for (int i = 0; i < 100'000; ++i) series->Observe(i % 1000, SteadyTime(seconds(1)));
  const std::string text = Written(page, SteadyTime(seconds(1)));
  EXPECT_NE(text.find("t_count 100000\n"), std::string::npos);
  const double median = std::stod(text.substr(text.find("0.5\"} ") + 6));
  EXPECT_NEAR(median, 500, 60);
}

TEST(MetricsPageTest, LabelValuesAreEscaped) {
  MetricsPage page;
  page.Find("g", MetricsPage::Type::kGauge, {{"l", "a\"b\\c\nd"}})->Set(1);
  EXPECT_NE(Written(page, SteadyTime{}).find("g{l=\"a\\\"b\\\\c\\nd\"} 1\n"), std::string::npos);
}

TEST(PageNameTest, SeparatorsBecomeUnderscoresAndAnEmptyPartADoubleOne) {
  EXPECT_EQ(PageName("spire_server.rateLimit.svid.v1"), "spire_server_rateLimit_svid_v1");
  EXPECT_EQ(PageName("cache_manager..expiring_svids"), "cache_manager__expiring_svids");
}

}  // namespace
}  // namespace spire_exporter::fakes
