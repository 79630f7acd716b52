#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>

#include "exporter/log/line.h"
#include "exporter/log/make_logger.h"

namespace spire_exporter {
namespace {

// Used by one thread at a time, as LogSink promises.
class DescriptorWriter {
 public:
  DescriptorWriter(const Clock& clock, LogFormat format, int fd)
      : clock_(clock), format_(format), fd_(fd) {}

  void Write(std::string_view line) {
    if (dropped_ > 0) {
      const std::array<LogField, 1> fields{LogField{"lines", std::to_string(dropped_)}};
      const std::string notice = FormatLogLine(format_, clock_.System(), LogLevel::kWarn,
                                               "log lines were dropped, nobody read them", fields);
      if (!Put(notice)) {
        ++dropped_;
        return;
      }
      dropped_ = 0;
    }
    if (!Put(line)) ++dropped_;
  }

 private:
  // A pipe that polls as writable takes PIPE_BUF bytes at once, and no line is longer.
  bool Put(std::string_view line) {
    pollfd ready{fd_, POLLOUT, 0};
    if (poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0) return false;
    while (!line.empty()) {
      const ssize_t put = write(fd_, line.data(), line.size());
      if (put < 0 && errno == EINTR) continue;
      if (put <= 0) return false;
      line.remove_prefix(static_cast<size_t>(put));
    }
    return true;
  }

  const Clock& clock_;
  const LogFormat format_;
  const int fd_;
  uint64_t dropped_ = 0;
};

}  // namespace

LogSink DescriptorSink(const Clock& clock, LogFormat format, int fd) {
  // std::function wants something copyable; the writer has one owner all the same.
  auto writer = std::make_shared<DescriptorWriter>(clock, format, fd);
  return [writer](std::string_view line) { writer->Write(line); };
}

}  // namespace spire_exporter
