// The program's Logger: one line per message, as logfmt or JSON. spdlog stops here.
//
//   ts=2026-01-02T03:04:05.678Z level=info msg="listening" address=127.0.0.1:9925
//   {"ts":"2026-01-02T03:04:05.678Z","level":"info","msg":"listening","address":"127.0.0.1:9925"}
//
// Whatever bytes a message or a value holds, a line stays one line of valid UTF-8 that parses:
// quotes, backslashes, line ends and control characters are escaped as in JSON, so are characters
// that turn or hide text on a terminal (C1 controls, bidirectional overrides, zero-width ones), and
// bytes that are not UTF-8 become U+FFFD. A field called ts, level or msg is written as field_ts,
// field_level or field_msg.
#ifndef EXPORTER_LOG_MAKE_LOGGER_H_
#define EXPORTER_LOG_MAKE_LOGGER_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include "exporter/base/clock.h"
#include "exporter/base/logger.h"
#include "exporter/base/result.h"

namespace spire_exporter {

enum class LogFormat { kLogfmt, kJson };

// `debug`, `info`, `warn`, `error`; `logfmt`, `json`. Anything else is an error that names the
// choices.
Result<LogLevel> ParseLogLevel(std::string_view text);
Result<LogFormat> ParseLogFormat(std::string_view text);

// A line with its line feed is at most this long: what a pipe takes in one piece (PIPE_BUF). A
// message or value too long for its share ends in `...`; fields that do not fit any more are
// counted in a field `fields_dropped`.
inline constexpr size_t kMaxLogLineBytes = 4096;

// Takes one whole line with its line feed. Called by one thread at a time.
using LogSink = std::function<void(std::string_view line)>;

// Writes lines to a file descriptor that it does not own, and never waits for its reader: a line
// that finds a pipe or terminal full is dropped and counted, and the first line that gets through
// again is preceded by a warning with the count. The one wait left is that of the kernel when
// another process fills the same pipe between the question and the write. The process must ignore
// SIGPIPE; a reader that is gone then costs the lines and nothing else.
LogSink DescriptorSink(const Clock& clock, LogFormat format, int fd);

// A logger for lines of at least `level`. `clock` outlives it. Without a sink, lines go to standard
// error by a DescriptorSink.
std::unique_ptr<Logger> MakeLogger(const Clock& clock, LogLevel level, LogFormat format,
                                   LogSink sink = nullptr);

}  // namespace spire_exporter

#endif  // EXPORTER_LOG_MAKE_LOGGER_H_
