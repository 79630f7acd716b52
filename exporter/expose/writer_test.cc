#include "exporter/expose/writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "exporter/expose/strict_reader.h"
#include "exporter/expose/test_pages.h"

namespace spire_exporter {
namespace {

using testing::HasSubstr;
using testing::Not;

const WriteOptions kCreated{.created_samples = true};

// Compares with a committed page. With SPIRE_EXPORTER_UPDATE_GOLDEN set it writes the page instead,
// to be read before it is committed.
void ExpectGolden(const std::string& page, const std::string& file) {
  const std::string path = std::string(HOUSE_SOURCE_DIR "/exporter/expose/testdata/") + file;
  if (std::getenv("SPIRE_EXPORTER_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << page;
  }
  std::ifstream in(path, std::ios::binary);
  ASSERT_TRUE(in.good()) << path;
  std::ostringstream golden;
  golden << in.rdbuf();
  EXPECT_EQ(page, golden.str());
}

TEST(WriterTest, TextOfEveryTypeIsAsCommitted) {
  ExpectGolden(Render(Format::kText, Page::Merge({EveryType()})), "every_type.txt");
}

TEST(WriterTest, OpenMetricsOfEveryTypeIsAsCommitted) {
  ExpectGolden(Render(Format::kOpenMetrics, Page::Merge({EveryType()}), kCreated),
               "every_type.openmetrics");
}

TEST(WriterTest, AStrictReaderAcceptsEveryType) {
  const Page page = Page::Merge({EveryType()});
  for (const Format format : {Format::kText, Format::kOpenMetrics}) {
    const auto read = ReadStrictly(format, Render(format, page, kCreated));
    ASSERT_TRUE(read) << read.error().ToString();
    EXPECT_GT(read->size(), 10u);
  }
}

TEST(WriterTest, EqualPagesGiveEqualBytesWhateverTheOrderTheyWereMadeIn) {
  auto forwards = std::make_shared<Snapshot>(*EveryType());
  auto backwards = std::make_shared<Snapshot>(*EveryType());
  std::reverse(backwards->families.begin(), backwards->families.end());
  for (Family& family : backwards->families) {
    std::reverse(family.series.begin(), family.series.end());
  }
  for (const Format format : {Format::kText, Format::kOpenMetrics}) {
    EXPECT_EQ(Render(format, Page::Merge({forwards})), Render(format, Page::Merge({backwards})));
  }
}

TEST(WriterTest, AppendsToWhatIsThere) {
  std::string out = "before\n";
  Write(Format::kOpenMetrics, Page::Merge({}), {}, out);
  EXPECT_EQ(out, "before\n# EOF\n");
  Write(Format::kText, Page::Merge({}), {}, out);
  EXPECT_EQ(out, "before\n# EOF\n");
}

TEST(WriterTest, WritesCreationTimesOnlyWhenAsked) {
  const Page page = Page::Merge({EveryType()});
  EXPECT_THAT(Render(Format::kOpenMetrics, page), Not(HasSubstr("_created")));
  const std::string asked = Render(Format::kOpenMetrics, page, kCreated);
  EXPECT_THAT(asked, HasSubstr("\nlab_busy_seconds_created 1800000000\n"));
  EXPECT_THAT(asked, HasSubstr("\nlab_call_duration_seconds_created{service=\"agent\"} "
                               "1800000000.25\n"));
  EXPECT_THAT(Render(Format::kText, page, kCreated), Not(HasSubstr("_created")));
}

TEST(WriterTest, GrowsBeyondWhatItExpected) {
  constexpr std::array kLabels = {LabelDescription{"x", "any"}};
  FamilyDescription description;
  description.name = "lab_long";
  description.type = MetricType::kGaugeHistogram;
  description.labels = kLabels;
  const std::string help(100'000, '\\');
  description.help = help;
  FamilyBuilder builder;
  builder.Add(description, {std::string(50'000, '"')}, ClassicHistogram({1, 2}, {1, 2}, 3, 4));
  const std::string page = Render(Format::kText, Page::Merge({Take(builder)}));
  const auto read = ReadStrictly(Format::kText, page);
  ASSERT_TRUE(read) << read.error().ToString();
  EXPECT_EQ((*read)[0].help, help);
  EXPECT_EQ((*read)[0].samples[0].labels[0].second, std::string(50'000, '"'));
}

TEST(WriterTest, ContentTypesAreThoseOfTheFormats) {
  EXPECT_EQ(ContentType(Format::kText), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(ContentType(Format::kOpenMetrics),
            "application/openmetrics-text; version=1.0.0; charset=utf-8");
}

}  // namespace
}  // namespace spire_exporter
