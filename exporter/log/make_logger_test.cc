#include "exporter/log/make_logger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "exporter/base/utf8.h"

namespace spire_exporter {
namespace {

using std::chrono::milliseconds;
using testing::EndsWith;
using testing::HasSubstr;

// 2026-01-02T03:04:05.678Z
const SystemTime kTime{milliseconds(1'767'323'045'678)};

// One line written by a logger of its own, without the line feed.
std::string LineOf(LogFormat format, std::string_view message,
                   std::initializer_list<LogField> fields = {}) {
  const ManualClock clock(kTime);
  std::string written;
  const auto logger = MakeLogger(clock, LogLevel::kDebug, format,
                                 [&written](std::string_view line) { written += line; });
  logger->Info(message, fields);
  EXPECT_FALSE(written.empty());
  EXPECT_EQ(written.find('\n'), written.size() - 1) << "one line, one line feed";
  EXPECT_LE(written.size(), kMaxLogLineBytes);
  EXPECT_EQ(FindInvalidUtf8(written), std::string::npos);
  written.pop_back();
  return written;
}

TEST(MakeLoggerTest, WritesLogfmt) {
  EXPECT_EQ(LineOf(LogFormat::kLogfmt, "listening on a port",
                   {{"address", "127.0.0.1:9925"}, {"why", "asked for"}, {"empty", ""}}),
            "ts=2026-01-02T03:04:05.678Z level=info msg=\"listening on a port\" "
            "address=127.0.0.1:9925 why=\"asked for\" empty=\"\"");
}

TEST(MakeLoggerTest, WritesJson) {
  EXPECT_EQ(LineOf(LogFormat::kJson, "listening", {{"address", "127.0.0.1:9925"}, {"empty", ""}}),
            "{\"ts\":\"2026-01-02T03:04:05.678Z\",\"level\":\"info\",\"msg\":\"listening\","
            "\"address\":\"127.0.0.1:9925\",\"empty\":\"\"}");
}

TEST(MakeLoggerTest, EscapesWhatWouldForgeALine) {
  const LogField hostile{"peer", "x\nts=0 level=error msg=\"owned\"\r\x1b[2J\t\\"};
  EXPECT_THAT(LineOf(LogFormat::kLogfmt, "a \"quoted\"\nmessage", {hostile}),
              EndsWith("msg=\"a \\\"quoted\\\"\\nmessage\" "
                       "peer=\"x\\nts=0 level=error msg=\\\"owned\\\"\\r\\u001b[2J\\t\\\\\""));
  EXPECT_THAT(LineOf(LogFormat::kJson, "a \"quoted\"\nmessage", {hostile}),
              EndsWith("\"msg\":\"a \\\"quoted\\\"\\nmessage\",\"peer\":\"x\\nts=0 level=error "
                       "msg=\\\"owned\\\"\\r\\u001b[2J\\t\\\\\"}"));
}

TEST(MakeLoggerTest, QuotesLogfmtValuesThatWouldSplit) {
  for (const char* value : {"a=b", "a b", "\"", "\\", "\x7f"}) {
    EXPECT_THAT(LineOf(LogFormat::kLogfmt, "m", {{"k", value}}), HasSubstr(" k=\"")) << value;
  }
  EXPECT_THAT(LineOf(LogFormat::kLogfmt, "m", {{"k", "a,b:c/d[e]{f}'"}}),
              EndsWith(" k=a,b:c/d[e]{f}'"));
}

TEST(MakeLoggerTest, ReplacesBytesThatAreNotUtf8AndKeepsThoseThatAre) {
  const std::string value = std::string("caf\xC3\xA9 \xFF\xC3") + '\0' + "\xE2\x80\xAE";
  EXPECT_THAT(LineOf(LogFormat::kJson, "m", {{"k", value}}),
              EndsWith("\"k\":\"caf\xC3\xA9 \xEF\xBF\xBD\xEF\xBF\xBD\\u0000\\u202e\"}"));
}

TEST(MakeLoggerTest, EscapesHiddenCharactersOutsideTheBasicPlaneAsAPair) {
  EXPECT_THAT(LineOf(LogFormat::kJson, "m", {{"k", "\xF3\xA0\x81\x81"}}),
              EndsWith("\"k\":\"\\udb40\\udc41\"}"));
}

TEST(MakeLoggerTest, EveryByteStringStaysOneValidLine) {
  for (const LogFormat format : {LogFormat::kLogfmt, LogFormat::kJson}) {
    for (int first = 0; first < 256; ++first) {
      std::string all(1, static_cast<char>(first));
      for (int second = 0; second < 256; ++second) all += static_cast<char>(second);
      LineOf(format, all, {{"k", all}});  // the checks are inside
    }
  }
}

TEST(MakeLoggerTest, RenamesFieldsThatWouldRepeatOurOwn) {
  EXPECT_THAT(LineOf(LogFormat::kLogfmt, "m", {{"msg", "1"}, {"ts", "2"}, {"a b", "3"}, {"", "4"}}),
              EndsWith("msg=\"m\" field_msg=1 field_ts=2 a_b=3 _=4"));
}

TEST(MakeLoggerTest, CutsWhatIsTooLongOnACharacter) {
  for (size_t lead = 0; lead < 8; ++lead) {
    std::string value(lead, 'x');
    for (int i = 0; i < 2000; ++i) value += "\xE2\x82\xAC";
    const std::string line = LineOf(LogFormat::kLogfmt, value, {{"k", value}});
    EXPECT_THAT(line, HasSubstr("...\" k=\""));
    EXPECT_THAT(line, EndsWith("...\""));
  }
  // A value of escapes alone is cut between two of them.
  EXPECT_THAT(LineOf(LogFormat::kLogfmt, "m", {{"k", std::string(5000, '\n')}}),
              EndsWith("\\n\\n...\""));
}

TEST(MakeLoggerTest, CountsFieldsThatDoNotFit) {
  const std::string value(5000, 'v');
  const std::string line =
      LineOf(LogFormat::kJson, value,
             {{"a", value}, {"b", value}, {"c", value}, {"d", value}, {"e", value}, {"f", value}});
  EXPECT_THAT(line, HasSubstr("\"b\":\"v"));
  EXPECT_THAT(line, EndsWith("\"fields_dropped\":\"4\"}"));
}

TEST(MakeLoggerTest, DropsLinesBelowItsLevel) {
  const ManualClock clock(kTime);
  std::vector<std::string> lines;
  const auto logger = MakeLogger(clock, LogLevel::kWarn, LogFormat::kLogfmt,
                                 [&lines](std::string_view line) { lines.emplace_back(line); });
  logger->Debug("d");
  logger->Info("i");
  logger->Write(LogLevel::kInfo, "i", {});  // also past the helpers
  logger->Warn("w");
  logger->Error("e");

  EXPECT_FALSE(logger->Enabled(LogLevel::kInfo));
  EXPECT_TRUE(logger->Enabled(LogLevel::kWarn));
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_THAT(lines[0], HasSubstr("level=warn msg=\"w\""));
  EXPECT_THAT(lines[1], HasSubstr("level=error msg=\"e\""));
}

TEST(MakeLoggerTest, HandsWholeLinesToTheSinkFromManyThreads) {
  const ManualClock clock(kTime);
  std::vector<std::string> lines;  // unguarded on purpose: the logger promises one caller at a time
  const auto logger = MakeLogger(clock, LogLevel::kInfo, LogFormat::kLogfmt,
                                 [&lines](std::string_view line) { lines.emplace_back(line); });
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&logger, t] {
      for (int i = 0; i < 250; ++i) {
        logger->Info("m", {{"n", std::to_string(t * 250 + i)}});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(lines.size(), 1000U);
  EXPECT_EQ(std::set<std::string>(lines.begin(), lines.end()).size(), 1000U);
}

TEST(MakeLoggerTest, SurvivesASinkThatThrows) {
  const ManualClock clock(kTime);
  int calls = 0;
  const auto logger =
      MakeLogger(clock, LogLevel::kInfo, LogFormat::kLogfmt, [&calls](std::string_view) {
        ++calls;
        throw std::runtime_error("full");
      });
  logger->Info("a");
  logger->Info("b");
  EXPECT_EQ(calls, 2);
}

TEST(MakeLoggerTest, WritesTimesBeforeTheEpochAndAtItsEdges) {
  for (const auto& [time, text] : std::vector<std::pair<milliseconds, std::string>>{
           {milliseconds(0), "1970-01-01T00:00:00.000Z"},
           {milliseconds(-1), "1969-12-31T23:59:59.999Z"},
           {milliseconds(951'782'400'000), "2000-02-29T00:00:00.000Z"}}) {
    const ManualClock clock{SystemTime(time)};
    std::string written;
    MakeLogger(clock, LogLevel::kInfo, LogFormat::kLogfmt, [&written](std::string_view line) {
      written += line;
    })->Info("m");
    EXPECT_THAT(written, HasSubstr("ts=" + text + " "));
  }
}

TEST(ParseLogLevelTest, KnowsItsFourNames) {
  EXPECT_EQ(*ParseLogLevel("debug"), LogLevel::kDebug);
  EXPECT_EQ(*ParseLogLevel("info"), LogLevel::kInfo);
  EXPECT_EQ(*ParseLogLevel("warn"), LogLevel::kWarn);
  EXPECT_EQ(*ParseLogLevel("error"), LogLevel::kError);
  EXPECT_EQ(ParseLogLevel("WARN\n").error().what,
            "\"WARN\\x0a\" is no log level: expected debug, info, warn or error");
}

TEST(ParseLogFormatTest, KnowsItsTwoNames) {
  EXPECT_EQ(*ParseLogFormat("logfmt"), LogFormat::kLogfmt);
  EXPECT_EQ(*ParseLogFormat("json"), LogFormat::kJson);
  EXPECT_EQ(ParseLogFormat("text").error().what,
            "\"text\" is no log format: expected logfmt or json");
}

}  // namespace
}  // namespace spire_exporter
