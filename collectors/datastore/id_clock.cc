#include "collectors/datastore/id_clock.h"

#include <algorithm>

namespace spire_exporter::datastore {

IdReading IdClock::Note(std::string_view table, int64_t last, int64_t max, SteadyTime now) {
  auto found = samples_.find(table);
  if (found == samples_.end()) found = samples_.emplace(std::string(table), 0).first;
  std::deque<Sample>& samples = found->second;
  if (!samples.empty() && last < samples.back().last) samples.clear();
  if (samples.empty() || now - samples.back().at >= kStep) samples.push_back({now, last});
  while (now - samples.front().at > kWindow) samples.pop_front();

  IdReading reading;
  const int64_t left = std::max<int64_t>(max - last, 0);
  reading.headroom = max > 0 ? static_cast<double>(left) / static_cast<double>(max) : 0;
  const Sample& first = samples.front();
  if (now - first.at < kWindowMin) return reading;
  reading.per_second = static_cast<double>(last - first.last) / Seconds(now - first.at);
  if (*reading.per_second > 0) {
    reading.exhaustion_seconds = static_cast<double>(left) / *reading.per_second;
  }
  return reading;
}

}  // namespace spire_exporter::datastore
