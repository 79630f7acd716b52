#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>
#include <vector>

#include "exporter/base/text.h"
#include "exporter/base/unique_fd.h"
#include "exporter/log/make_logger.h"

namespace spire_exporter {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    reader = UniqueFd(ends[0]);
    writer = UniqueFd(ends[1]);
  }
  // All that is there now.
  std::string Drain() {
    std::string all;
    std::array<char, 4096> buffer{};
    const int flags = fcntl(reader.get(), F_GETFL);
    fcntl(reader.get(), F_SETFL, flags | O_NONBLOCK);
    for (ssize_t got = 1; got > 0;) {
      got = read(reader.get(), buffer.data(), buffer.size());
      if (got > 0) all.append(buffer.data(), static_cast<size_t>(got));
    }
    return all;
  }

  UniqueFd reader;
  UniqueFd writer;
};

TEST(DescriptorSinkTest, WritesEveryLineThatIsRead) {
  const ManualClock clock;
  Pipe pipe;
  const auto logger = MakeLogger(clock, LogLevel::kInfo, LogFormat::kLogfmt,
                                 DescriptorSink(clock, LogFormat::kLogfmt, pipe.writer.get()));
  logger->Info("one");
  logger->Info("two");
  const std::string all = pipe.Drain();
  EXPECT_THAT(all, HasSubstr("msg=\"one\"\n"));
  EXPECT_THAT(all, EndsWith("msg=\"two\"\n"));
}

TEST(DescriptorSinkTest, DropsLinesInsteadOfWaitingForAReaderAndSaysHowMany) {
  const ManualClock clock;
  Pipe pipe;
  const auto logger = MakeLogger(clock, LogLevel::kInfo, LogFormat::kLogfmt,
                                 DescriptorSink(clock, LogFormat::kLogfmt, pipe.writer.get()));
  const std::string padding(900, 'x');
  for (int i = 0; i < 1000; ++i) logger->Info("stuck", {{"padding", padding}});  // would block

  const std::string before = pipe.Drain();
  size_t kept = 0;
  for (const std::string_view line : Split(before, '\n')) {
    if (line.empty()) continue;
    ++kept;
    EXPECT_THAT(std::string(line), EndsWith(padding)) << "no line is cut";
  }
  EXPECT_GT(kept, 10U);
  EXPECT_LT(kept, 1000U);

  logger->Info("read again");
  const std::string after = pipe.Drain();
  EXPECT_THAT(after,
              HasSubstr("level=warn msg=\"log lines were dropped, nobody read them\" lines=" +
                        std::to_string(1000 - kept) + "\n"));
  EXPECT_THAT(after, EndsWith("msg=\"read again\"\n"));

  logger->Info("once");
  EXPECT_THAT(pipe.Drain(), testing::Not(HasSubstr("dropped")));
}

TEST(DescriptorSinkTest, OutlivesItsReader) {
  struct sigaction ignore {};
  struct sigaction before {};
  ignore.sa_handler = SIG_IGN;
  ASSERT_EQ(sigaction(SIGPIPE, &ignore, &before), 0);
  const ManualClock clock;
  Pipe pipe;
  const LogSink sink = DescriptorSink(clock, LogFormat::kJson, pipe.writer.get());
  pipe.reader.Reset();
  sink("gone\n");
  sink("still gone\n");
  EXPECT_EQ(sigaction(SIGPIPE, &before, nullptr), 0);
}

}  // namespace
}  // namespace spire_exporter
