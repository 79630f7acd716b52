#include "exporter/log/make_logger.h"

#include <spdlog/details/log_msg.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <mutex>
#include <string>
#include <utility>

#include "exporter/base/text.h"
#include "exporter/log/line.h"

namespace spire_exporter {
namespace {

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

// Hands the payload on as it is: the line is whole already, since spdlog's patterns know no fields
// and no escaping. base_sink's mutex is what lets one thread at a time through.
class LineSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit LineSink(LogSink write) : write_(std::move(write)) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    write_(std::string_view(message.payload.data(), message.payload.size()));
  }
  void flush_() override {}

  const LogSink write_;
};

class SpdlogLogger final : public Logger {
 public:
  SpdlogLogger(const Clock& clock, LogLevel level, LogFormat format, LogSink sink)
      : clock_(clock),
        format_(format),
        logger_("spire-exporter", std::make_shared<LineSink>(std::move(sink))) {
    logger_.set_level(ToSpdlog(level));
    // A sink that throws must not reach spdlog's own handler, which prints to standard error.
    logger_.set_error_handler([](const std::string&) {});
  }

  bool Enabled(LogLevel level) const override { return logger_.should_log(ToSpdlog(level)); }

  void Write(LogLevel level, std::string_view message, std::span<const LogField> fields) override {
    if (!Enabled(level)) return;
    const std::string line = FormatLogLine(format_, clock_.System(), level, message, fields);
    logger_.log(ToSpdlog(level), spdlog::string_view_t(line.data(), line.size()));
  }

 private:
  const Clock& clock_;
  const LogFormat format_;
  spdlog::logger logger_;
};

}  // namespace

Result<LogLevel> ParseLogLevel(std::string_view text) {
  for (const LogLevel level :
       {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError}) {
    if (text == LogLevelName(level)) return level;
  }
  return Error{Code::kInvalidArgument,
               Quoted(text) + " is no log level: expected debug, info, warn or error", "", false};
}

Result<LogFormat> ParseLogFormat(std::string_view text) {
  if (text == "logfmt") return LogFormat::kLogfmt;
  if (text == "json") return LogFormat::kJson;
  return Error{Code::kInvalidArgument, Quoted(text) + " is no log format: expected logfmt or json",
               "", false};
}

std::unique_ptr<Logger> MakeLogger(const Clock& clock, LogLevel level, LogFormat format,
                                   LogSink sink) {
  if (!sink) sink = DescriptorSink(clock, format, STDERR_FILENO);
  return std::make_unique<SpdlogLogger>(clock, level, format, std::move(sink));
}

}  // namespace spire_exporter
