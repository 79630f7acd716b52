#include "exporter/base/logger.h"

namespace spire_exporter {
namespace {

void WriteIfEnabled(Logger& logger, LogLevel level, std::string_view message,
                    std::initializer_list<LogField> fields) {
  if (logger.Enabled(level)) logger.Write(level, message, {fields.begin(), fields.size()});
}

}  // namespace

void Logger::Debug(std::string_view message, std::initializer_list<LogField> fields) {
  WriteIfEnabled(*this, LogLevel::kDebug, message, fields);
}
void Logger::Info(std::string_view message, std::initializer_list<LogField> fields) {
  WriteIfEnabled(*this, LogLevel::kInfo, message, fields);
}
void Logger::Warn(std::string_view message, std::initializer_list<LogField> fields) {
  WriteIfEnabled(*this, LogLevel::kWarn, message, fields);
}
void Logger::Error(std::string_view message, std::initializer_list<LogField> fields) {
  WriteIfEnabled(*this, LogLevel::kError, message, fields);
}

bool LogThrottle::Admit(uint64_t* suppressed) {
  const SteadyTime now = clock_.Steady();
  MutexLock lock(mutex_);
  if (!first_ && now - last_ < interval_) {
    ++held_back_;
    return false;
  }
  first_ = false;
  last_ = now;
  *suppressed = held_back_;
  held_back_ = 0;
  return true;
}

}  // namespace spire_exporter
