#include "collectors/telemetry/scrape_poll.h"

#include <algorithm>

namespace spire_exporter::telemetry {

void ScrapePoll::OnPage(Duration served) {
  served_ = any_ ? served_ + (served - served_) / 4 : served;
  any_ = true;
  failed_ = false;
}

void ScrapePoll::OnFailure(Duration took) {
  failed_ = Seconds(took) > Seconds(poll_) * kServingShareAim;
}

Duration ScrapePoll::Next(bool stream_speaks) const {
  if (stream_speaks || failed_ || poll_ <= Duration::zero()) return interval_;
  const auto affordable = std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(served_) / kServingShareAim);
  return std::min(interval_, std::max(poll_, affordable));
}

}  // namespace spire_exporter::telemetry
