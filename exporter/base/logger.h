// What the packages below `log` know of logging: an interface that is handed in. No package writes
// to a default logger, to std::cout or to std::cerr.
#ifndef EXPORTER_BASE_LOGGER_H_
#define EXPORTER_BASE_LOGGER_H_

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "exporter/base/clock.h"
#include "exporter/base/mutex.h"

namespace spire_exporter {

enum class LogLevel { kDebug, kInfo, kWarn, kError };

// A named value beside the message. Keys are literals in snake_case. Above debug no value holds a
// SPIFFE ID, a serial number, a selector or a secret.
struct LogField {
  std::string_view key;
  std::string value;
};

// Safe from any thread.
class Logger {
 public:
  virtual ~Logger() = default;

  virtual bool Enabled(LogLevel level) const = 0;
  // Writes one line. `message` is a sentence fragment without a final stop.
  virtual void Write(LogLevel level, std::string_view message,
                     std::span<const LogField> fields) = 0;

  void Debug(std::string_view message, std::initializer_list<LogField> fields = {});
  void Info(std::string_view message, std::initializer_list<LogField> fields = {});
  void Warn(std::string_view message, std::initializer_list<LogField> fields = {});
  void Error(std::string_view message, std::initializer_list<LogField> fields = {});

 protected:
  Logger() = default;
  Logger(const Logger&) = default;
  Logger& operator=(const Logger&) = default;
};

// Drops everything.
class NullLogger final : public Logger {
 public:
  bool Enabled(LogLevel) const override { return false; }
  void Write(LogLevel, std::string_view, std::span<const LogField>) override {}
};

// Lets one message through per interval and counts those it held back, for conditions that repeat.
// Safe from any thread.
class LogThrottle {
 public:
  LogThrottle(const Clock& clock, Duration interval) : clock_(clock), interval_(interval) {}

  // True when the caller may write now; `suppressed` then says how many were held back since the
  // last one.
  bool Admit(uint64_t* suppressed);

 private:
  const Clock& clock_;
  const Duration interval_;
  Mutex mutex_;
  bool first_ GUARDED_BY(mutex_) = true;
  SteadyTime last_ GUARDED_BY(mutex_);
  uint64_t held_back_ GUARDED_BY(mutex_) = 0;
};

}  // namespace spire_exporter

#endif  // EXPORTER_BASE_LOGGER_H_
