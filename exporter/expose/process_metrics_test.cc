#include "exporter/expose/process_metrics.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "exporter/base/unique_fd.h"
#include "exporter/expose/process_families.h"
#include "exporter/expose/strict_reader.h"
#include "exporter/expose/test_pages.h"

namespace spire_exporter {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

class ProcessMetricsTest : public testing::Test {
 protected:
  std::string Text() const { return Render(Format::kText, Page::Merge({metrics_.Take()})); }

  std::vector<ReadFamily> Read() const {
    auto read = ReadStrictly(Format::kText, Text());
    EXPECT_TRUE(read) << read.error().ToString();
    return *read;
  }

  double Value(std::string_view family) const {
    for (const ReadFamily& read : Read()) {
      if (read.name == family) return read.samples.at(0).value;
    }
    ADD_FAILURE() << family << " is not there";
    return -1;
  }

  void GiveEverything() {
    metrics_.SetReload(true);
    metrics_.SetServer([] { return ServerFigures{}; });
  }

  ManualClock clock_;
  ProcessMetrics metrics_{{"1.2.3", "0123abcd"}, clock_};
};

TEST_F(ProcessMetricsTest, EmitsWhatIsDescribedAndNothingElse) {
  GiveEverything();
  std::set<const FamilyDescription*> described(ProcessFamilies().begin(), ProcessFamilies().end());
  std::set<const FamilyDescription*> emitted;
  const auto snapshot = metrics_.Take();
  for (const Family& family : snapshot->families) {
    EXPECT_FALSE(family.series.empty()) << family.description->name;
    EXPECT_LE(family.series.size(), family.description->series_max) << family.description->name;
    emitted.insert(family.description);
    for (const Series& series : family.series) {
      for (size_t i = 0; i < series.labels->size(); ++i) {
        const auto& labels = family.description->labels;
        const auto label = std::find_if(labels.begin(), labels.end(), [&](const auto& known) {
          return known.name == series.labels->name(i);
        });
        ASSERT_NE(label, labels.end()) << family.description->name;
        const bool listed = std::find(label->values.begin(), label->values.end(),
                                      series.labels->value(i)) != label->values.end();
        EXPECT_TRUE(label->values.empty() || listed) << series.labels->rendered();
      }
    }
  }
  EXPECT_EQ(emitted, described);
}

TEST_F(ProcessMetricsTest, DescriptionsKeepTheRulesOfNames) {
  std::set<std::string_view> names;
  for (const FamilyDescription* family : ProcessFamilies()) {
    EXPECT_TRUE(names.insert(family->name).second) << family->name;
    EXPECT_EQ(family->help.back(), '.') << family->name;
    EXPECT_FALSE(family->source.empty()) << family->name;
    const bool total = family->name.size() != BaseName(*family).size();
    const bool counted = family->type == MetricType::kCounter || family->type == MetricType::kInfo;
    EXPECT_EQ(total, counted) << family->name;
    if (!family->unit.empty()) {
      EXPECT_THAT(std::string(BaseName(*family)),
                  testing::EndsWith("_" + std::string(family->unit)));
    }
  }
}

TEST_F(ProcessMetricsTest, AStrictReaderAcceptsThemInEveryFormat) {
  GiveEverything();
  metrics_.CountRequest("metrics", 200, milliseconds(2), 10);
  for (const Format format : {Format::kText, Format::kOpenMetrics}) {
    const auto read = ReadStrictly(
        format, Render(format, Page::Merge({metrics_.Take()}), {.created_samples = true}));
    EXPECT_TRUE(read) << read.error().ToString();
  }
}

TEST_F(ProcessMetricsTest, CountsRequestsByHandlerAndCode) {
  EXPECT_THAT(
      Text(),
      HasSubstr("spire_exporter_http_requests_total{code=\"200\",handler=\"metrics\"} 0\n"));
  metrics_.CountRequest("metrics", 200, milliseconds(3), 1000);
  metrics_.CountRequest("metrics", 200, milliseconds(300), 500);
  metrics_.CountRequest("healthy", 200, milliseconds(900), 3);
  metrics_.CountRequest("../etc", 418, milliseconds(1), 0);
  const std::string text = Text();
  EXPECT_THAT(text, HasSubstr("requests_total{code=\"200\",handler=\"metrics\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("requests_total{code=\"200\",handler=\"healthy\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("requests_total{code=\"other\",handler=\"other\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("response_bytes_total 1503\n"));
  EXPECT_THAT(text, HasSubstr("scrape_duration_seconds_bucket{le=\"0.005\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("scrape_duration_seconds_count 2\n"));
}

TEST_F(ProcessMetricsTest, CountsWhatPagesLeftOut) {
  metrics_.CountPage(
      {.duplicate_series = 2, .type_conflicts = 1, .name_clashes = 0, .malformed_series = 3});
  metrics_.CountPage(
      {.duplicate_series = 5, .type_conflicts = 0, .name_clashes = 4, .malformed_series = 0});
  const std::string text = Text();
  EXPECT_THAT(text, HasSubstr("left_out_total{reason=\"duplicate_series\"} 7\n"));
  EXPECT_THAT(text, HasSubstr("left_out_total{reason=\"type_conflict\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("left_out_total{reason=\"name_clash\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("left_out_total{reason=\"malformed_series\"} 3\n"));
}

TEST_F(ProcessMetricsTest, TellsTheLastReload) {
  EXPECT_THAT(Text(), Not(HasSubstr("config_last_reload")));
  metrics_.SetReload(true);
  clock_.Advance(std::chrono::seconds(60));
  metrics_.SetReload(false);
  EXPECT_EQ(Value("spire_exporter_config_last_reload_successful"), 0);
  EXPECT_EQ(Value("spire_exporter_config_last_reload_success_timestamp_seconds"), 1'800'000'000);
  metrics_.SetReload(true);
  EXPECT_EQ(Value("spire_exporter_config_last_reload_successful"), 1);
  EXPECT_EQ(Value("spire_exporter_config_last_reload_success_timestamp_seconds"), 1'800'000'060);
}

TEST_F(ProcessMetricsTest, AsksTheServerUntilItIsForgotten) {
  EXPECT_THAT(Text(), Not(HasSubstr("http_connections")));
  metrics_.SetServer([] {
    ServerFigures figures;
    figures.accepted = 9;
    figures.connections[ServerFigures::kWaiting] = 5;
    figures.rejections[ServerFigures::kTooManyRequests] = 3;
    figures.unsent_bytes = 77;
    return figures;
  });
  const std::string text = Text();
  EXPECT_THAT(text, HasSubstr("http_connections{state=\"waiting\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("http_connections{state=\"writing\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("http_connections_accepted_total 9\n"));
  EXPECT_THAT(text, HasSubstr("http_rejections_total{reason=\"too_many_requests\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("http_unsent_bytes 77\n"));
  metrics_.SetServer({});
  EXPECT_THAT(Text(), Not(HasSubstr("http_connections")));
}

TEST_F(ProcessMetricsTest, TellsWhatTheKernelSays) {
  EXPECT_GT(Value("process_resident_memory_bytes"), 1 << 20);
  EXPECT_GE(Value("process_virtual_memory_bytes"), Value("process_resident_memory_bytes"));
  EXPECT_GE(Value("process_threads"), 1);
  EXPECT_GE(Value("process_cpu_seconds_total"), 0);
  // Started after this code was written, and not after now.
  const RealClock now;
  EXPECT_GT(Value("process_start_time_seconds"), 1'700'000'000);
  EXPECT_LT(Value("process_start_time_seconds"), UnixSeconds(now.System()) + 1);
  const double before = Value("process_open_fds");
  const UniqueFd one(open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(Value("process_open_fds"), before + 1);
  EXPECT_GE(Value("process_max_fds"), before);
}

TEST(ProcFilesTest, WhatCannotBeReadIsAbsent) {
  const ManualClock clock;
  const ProcessMetrics metrics({"1", "2", "/nonexistent"}, clock);
  const std::string text = Render(Format::kText, Page::Merge({metrics.Take()}));
  EXPECT_THAT(text, HasSubstr("process_max_fds "));  // does not come from a file
  for (const char* name : {"cpu_seconds_total", "resident_memory_bytes", "open_fds", "threads",
                           "start_time_seconds", "virtual_memory_bytes"}) {
    EXPECT_THAT(text, Not(HasSubstr(std::string("process_") + name)));
  }
}

TEST(ProcFilesTest, ReadsACommandThatHasBlanksAndParentheses) {
  const std::filesystem::path root =
      std::filesystem::path(testing::TempDir()) / "expose-proc-files-test";
  std::filesystem::create_directories(root / "self");
  std::ofstream(root / "stat") << "cpu 1 2\nintr 5\nbtime 1700000000\nprocesses 7\n";
  std::ofstream(root / "self" / "stat") << "42 (a) b) (c d) S 1 1 1 0 -1 4194304 0 0 0 0 150 50 0 "
                                           "0 20 0 7 0 200 1048576 3 18446744\n";
  const ManualClock clock;
  const ProcessMetrics metrics({"1", "2", root.string()}, clock);
  const std::string text = Render(Format::kText, Page::Merge({metrics.Take()}));
  std::filesystem::remove_all(root);
  EXPECT_THAT(text, HasSubstr("process_cpu_seconds_total 2\n"));  // at 100 ticks a second
  EXPECT_THAT(text, HasSubstr("process_threads 7\n"));
  EXPECT_THAT(text, HasSubstr("process_start_time_seconds 1700000002\n"));
  EXPECT_THAT(text, HasSubstr("process_virtual_memory_bytes 1048576\n"));
}

TEST_F(ProcessMetricsTest, CountsFromSeveralThreads) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 500; ++n) {
        metrics_.CountRequest("metrics", 200, milliseconds(1), 1);
        if (n % 100 == 0) metrics_.Take();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(Text(), HasSubstr("requests_total{code=\"200\",handler=\"metrics\"} 2000\n"));
  EXPECT_THAT(Text(), HasSubstr("scrape_duration_seconds_count 2000\n"));
}

}  // namespace
}  // namespace spire_exporter
