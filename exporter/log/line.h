// How a log line is written. Pure functions; internal to this folder.
#ifndef EXPORTER_LOG_LINE_H_
#define EXPORTER_LOG_LINE_H_

#include <span>
#include <string>
#include <string_view>

#include "exporter/base/clock.h"
#include "exporter/base/logger.h"
#include "exporter/log/make_logger.h"

namespace spire_exporter {

// `debug`, `info`, `warn` or `error`.
std::string_view LogLevelName(LogLevel level);

// `2026-01-02T03:04:05.678Z`.
std::string LogTimestamp(SystemTime time);

// The whole line with its line feed, at most kMaxLogLineBytes long.
std::string FormatLogLine(LogFormat format, SystemTime time, LogLevel level,
                          std::string_view message, std::span<const LogField> fields);

}  // namespace spire_exporter

#endif  // EXPORTER_LOG_LINE_H_
