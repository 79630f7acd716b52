#include "collectors/spire_config/log_tail.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "collectors/spire_config/audit_collector.h"
#include "collectors/spire_config/audit_line.h"

namespace spire_exporter::spire_config {
namespace {

class LogTailTest : public testing::Test {
 protected:
  LogTailTest() {
    std::string folder = testing::TempDir() + "log_tail_XXXXXX";
    folder_ = mkdtemp(folder.data());
    path_ = folder_ + "/spire.log";
  }
  ~LogTailTest() override {
    for (const std::string& path : {path_, path_ + ".1"}) unlink(path.c_str());
    rmdir(folder_.c_str());
  }
  void Write(const std::string& text, const char* suffix = "") {
    std::ofstream(path_ + suffix, std::ios::app) << text;
  }
  // What a look hands out, lines ended by `|`.
  std::string Look(LogTail& tail) {
    std::string out;
    status_ = tail.Look(Deadline::After(clock_, std::chrono::seconds(20)), clock_,
                        [&out](std::string_view line) { out += std::string(line) + "|"; });
    return out;
  }

  std::string folder_, path_;
  RealClock clock_;
  Status status_;
};

TEST_F(LogTailTest, BeginsAtTheEndAndHandsOutWholeLines) {
  Write("old\nhalf");
  LogTail tail(path_);
  EXPECT_EQ(Look(tail), "");
  Write(" a line\nb\nc");
  EXPECT_EQ(Look(tail), "b|");
  Write("c\n\n");
  EXPECT_EQ(Look(tail), "cc||");
  EXPECT_EQ(tail.counts().lines, 3U);
}

TEST_F(LogTailTest, ReadsAFileThatComesLaterFromItsBeginning) {
  LogTail tail(path_);
  EXPECT_EQ(Look(tail), "");
  EXPECT_EQ(status_.error().code, Code::kNotFound);
  Write("a\n");
  EXPECT_EQ(Look(tail), "a|");
  EXPECT_TRUE(status_.ok());
}

TEST_F(LogTailTest, FollowsARenameWithoutLosingWhatTheWriterStillWrites) {
  Write("x\n");
  LogTail tail(path_);
  Look(tail);
  Write("a\n");
  rename(path_.c_str(), (path_ + ".1").c_str());
  Write("b\n", ".1");  // not told yet
  EXPECT_EQ(Look(tail), "a|b|");
  EXPECT_EQ(status_.error().code, Code::kNotFound);
  Write("d\n");
  Write("c\n", ".1");
  EXPECT_EQ(Look(tail), "c|");  // both exist: first the old one, while it grows
  EXPECT_EQ(Look(tail), "d|");
  EXPECT_EQ(tail.counts().rotations, 1U);
  Write("e\n");
  EXPECT_EQ(Look(tail), "e|");
}

TEST_F(LogTailTest, FollowsATruncation) {
  Write("xxxxxxxxxxxxxxxx\n");
  LogTail tail(path_);
  Look(tail);
  Write("begun");
  EXPECT_EQ(Look(tail), "");
  ASSERT_EQ(truncate(path_.c_str(), 0), 0);
  Write("a\n");
  EXPECT_EQ(Look(tail), "a|");
  EXPECT_EQ(tail.counts().rotations, 1U);
}

TEST_F(LogTailTest, DropsALineThatIsTooLongAndHoldsNoMoreOfIt) {
  Write("x\n");
  LogTail tail(path_);
  Look(tail);
  Write(std::string(LogTail::kLineMax + 1, 'y'));
  EXPECT_EQ(Look(tail), "");
  Write(std::string(1000, 'y') + "\na\n");
  EXPECT_EQ(Look(tail), "a|");
  EXPECT_EQ(tail.counts().long_lines, 1U);
  Write(std::string(LogTail::kLineMax, 'z') + "\n");
  EXPECT_EQ(Look(tail).size(), LogTail::kLineMax + 1);
}

TEST_F(LogTailTest, PassesOverAFloodAndCountsIt) {
  Write("x\n");
  LogTail tail(path_);
  Look(tail);
  std::string flood;
  for (int i = 0; i < 1'000'000; ++i) flood += "0123456789012345678\n";
  Write(flood);
  const size_t size = Look(tail).size();
  EXPECT_LE(size, LogTail::kLookMax);
  EXPECT_GE(size, LogTail::kLookMax - 40);
  EXPECT_EQ(tail.counts().skipped_bytes, flood.size() - LogTail::kLookMax);
  Write("a\n");
  EXPECT_EQ(Look(tail), "a|");
}

TEST_F(LogTailTest, GoesOnWhereADeadlineStoppedIt) {
  Write("x\n");
  LogTail tail(path_);
  Look(tail);
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "0123456789\n";
  Write(text);
  ManualClock clock;
  size_t lines = 0;
  // Passes while the first chunk is handed out.
  const auto count = [&](std::string_view) {
    ++lines;
    clock.Advance(std::chrono::seconds(1));
  };
  EXPECT_TRUE(tail.Look(Deadline::After(clock, std::chrono::seconds(1)), clock, count).ok());
  EXPECT_GT(lines, 0U);
  EXPECT_LT(lines, 20'000U);
  Look(tail);
  EXPECT_EQ(tail.counts().lines, 20'000U);
}

TEST_F(LogTailTest, RefusesWhatIsNoFile) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  LogTail tail(path_);
  Look(tail);
  EXPECT_EQ(status_.error().code, Code::kFailedPrecondition);
}

TEST_F(LogTailTest, CountsAuditLinesWithoutNames) {
  SpireConfigOptions options;
  options.audit_log = path_;
  const auto collector = MakeAuditCollector(options);
  FactsBoard facts;
  const auto page = [&] {
    auto reading =
        collector->Collect({Deadline::After(clock_, std::chrono::seconds(5)), {}, clock_, facts});
    std::string out;
    for (const Family& family : reading->families.Take()) {
      for (const Series& series : family.series) {
        out += std::string(family.description->name) + "{" +
               std::string(series.labels->rendered()) + "} " +
               std::to_string(static_cast<int64_t>(series.value)) + "\n";
      }
    }
    return out;
  };
  EXPECT_EQ(page().find("spire_audit_lines_total"), std::string::npos);  // nothing known yet
  Write(
      "level=info msg=\"x\"\n"
      "type=audit method=MintX509SVID status=success authorized_as=local spiffe_id=hunter2\n"
      "type=audit method=MintX509SVID status=success authorized_as=local\n"
      "type=audit method=hunter2 status=hunter2 authorized_as=hunter2\n"
      "audit\n");
  const std::string shown = page();
  EXPECT_NE(shown.find("spire_audit_events_total{caller=\"local\",method=\"MintX509SVID\","
                       "status=\"success\"} 2"),
            std::string::npos)
      << shown;
  EXPECT_NE(shown.find("spire_audit_events_total{caller=\"other\",method=\"other\","
                       "status=\"other\"} 1"),
            std::string::npos);
  EXPECT_NE(shown.find("spire_audit_lines_total{kind=\"audit\"} 3"), std::string::npos);
  EXPECT_NE(shown.find("spire_audit_lines_total{kind=\"malformed\"} 1"), std::string::npos);
  EXPECT_NE(shown.find("spire_audit_lines_total{kind=\"other\"} 1"), std::string::npos);
  EXPECT_NE(shown.find("spire_audit_file_state{state=\"read\"} 1"), std::string::npos);
  EXPECT_EQ(shown.find("hunter2"), std::string::npos);
}

TEST_F(LogTailTest, KeepsToItsSeriesWhateverIsWritten) {
  SpireConfigOptions options;
  options.audit_log = path_;
  const auto collector = MakeAuditCollector(options);
  const FactsBoard facts;
  const auto collect = [&] {
    return collector->Collect({Deadline::After(clock_, std::chrono::seconds(5)), {}, clock_, facts})
        ->families.Take();
  };
  collect();
  std::string lines;
  for (const std::string_view method : kAuditMethods) {
    for (const std::string_view status : kAuditStatuses) {
      for (const std::string_view caller :
           {"local", "agent", "admin", "downstream", "nobody", "x"}) {
        lines += "type=audit method=" + std::string(method) + " status=" + std::string(status) +
                 " authorized_as=" + std::string(caller) + "\n";
      }
    }
  }
  Write(lines);
  for (const Family& family : collect()) {
    EXPECT_LE(family.series.size(), family.description->series_max) << family.description->name;
    if (family.description->name != "spire_audit_events_total") continue;
    double sum = 0;
    for (const Series& series : family.series) sum += series.value;
    EXPECT_EQ(sum, static_cast<double>(kAuditMethods.size() * 18));
  }
}

}  // namespace
}  // namespace spire_exporter::spire_config
