#include "exporter/expose/strict_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spire_exporter {
namespace {

std::string Complaint(Format format, std::string_view page) {
  const auto read = ReadStrictly(format, page);
  return read ? "" : read.error().what;
}

// The reader holds the writers to the rules only if it holds to them itself.
TEST(StrictReaderTest, RefusesWhatBreaksARule) {
  const auto text = [](std::string_view page) { return Complaint(Format::kText, page); };
  EXPECT_EQ(text("# TYPE x gauge\nx 1\n"), "");
  EXPECT_EQ(text("x 1\n"), "a sample without TYPE");
  EXPECT_EQ(text("# TYPE x gauge\nx 1"), "the last line does not end");
  EXPECT_EQ(text("# TYPE x gauge\n\nx 1\n"), "a blank line");
  EXPECT_EQ(text("# TYPE x gauge\nx{a=\"1\",a=\"2\"} 1\n"), "a repeated label");
  EXPECT_EQ(text("# TYPE x gauge\nx{a=\"\\t\"} 1\n"), "an escape that is none");
  EXPECT_EQ(text("# TYPE x gauge\nx{a=\"b\"c\"} 1\n"), "a brace is missing");
  EXPECT_EQ(text("# TYPE x gauge\nx{a=\"b} 1\n"), "a quote is missing");
  EXPECT_EQ(text("# TYPE x gauge\nx 1.\xC3\n"), "invalid UTF-8");
  EXPECT_EQ(text("# TYPE x gauge\nx 1e\n"), "a value was expected");
  EXPECT_EQ(text("# TYPE x gauge\nx 1 17\n"), "a value was expected");
  EXPECT_EQ(text("# TYPE x gauge\nx 1\nx 2\n"), "a series comes twice");
  EXPECT_EQ(text("# TYPE x gauge\n# TYPE y gauge\ny 1\n"), "a family without samples");
  EXPECT_EQ(text("# TYPE x gauge\nx 1\n# TYPE y gauge\ny 1\n# TYPE x gauge\nx 2\n"),
            "a family comes twice");
  EXPECT_EQ(text("# TYPE x gaugehistogram\nx 1\n"), "a type that is none");
  EXPECT_EQ(text("# HELP x a\nfeed 1\n"), "a sample without TYPE");
  EXPECT_EQ(text("# HELP x a \\x\n# TYPE x gauge\nx 1\n"), "an escape that is none");
}

TEST(StrictReaderTest, RefusesBrokenHistograms) {
  const auto text = [](std::string_view lines) {
    return Complaint(Format::kText, "# TYPE h histogram\n" + std::string(lines));
  };
  EXPECT_EQ(text("h_bucket{le=\"1.0\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n"), "");
  EXPECT_EQ(text("h_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 1\n"), "a bound that is no float");
  EXPECT_EQ(text("h_bucket{le=\"2.0\"} 1\nh_bucket{le=\"1.0\"} 1\n"), "bounds out of order");
  EXPECT_EQ(text("h_bucket{le=\"2.0\"} 2\nh_bucket{le=\"+Inf\"} 1\n"), "buckets out of order");
  EXPECT_EQ(text("h_bucket{le=\"2.0\"} 2\nh_count 2\n"), "a histogram without +Inf");
  EXPECT_EQ(text("h_bucket{le=\"+Inf\"} 2\nh_count 1\n"), "a count that is not that of +Inf");
}

TEST(StrictReaderTest, RefusesWhatOpenMetricsForbids) {
  const auto om = [](std::string_view page) { return Complaint(Format::kOpenMetrics, page); };
  EXPECT_EQ(om("# TYPE x gauge\nx 1\n# EOF\n"), "");
  EXPECT_EQ(om("# TYPE x gauge\nx 1\n"), "no end");
  EXPECT_EQ(om("# TYPE x gauge\nx 1\n# EOF\n# EOF\n"), "a line after the end");
  EXPECT_EQ(om("# TYPE x counter\nx 1\n# EOF\n"), "a sample name that the type has not");
  EXPECT_EQ(om("# TYPE x counter\nx_total NaN\n# EOF\n"),
            "a counter that is negative or no number");
  EXPECT_EQ(om("# TYPE x untyped\nx 1\n# EOF\n"), "a type that is none");
  EXPECT_EQ(om("# TYPE x gauge\n# UNIT x seconds\nx 1\n# EOF\n"),
            "a unit that the name does not end in");
  EXPECT_EQ(om("# TYPE x gauge\n# HELP x say \"x\"\nx 1\n# EOF\n"), "a bare quote");
  EXPECT_EQ(om("# TYPE x stateset\nx{y=\"a\"} 1\n# EOF\n"), "a state set without its label");
  EXPECT_EQ(
      om("# TYPE x stateset\nx{a=\"1\",x=\"p\"} 1\nx{a=\"2\",x=\"p\"} 0\nx{a=\"1\",x=\"q\"} 0\n"
         "# EOF\n"),
      "interleaved metrics");
  EXPECT_EQ(om("# TYPE x histogram\nx_bucket{le=\"-1.0\"} 0\nx_bucket{le=\"+Inf\"} 1\nx_sum 1\n"
               "# EOF\n"),
            "a sum beside a negative bound");
}

}  // namespace
}  // namespace spire_exporter
