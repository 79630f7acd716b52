#include "collectors/telemetry/nap.h"

#include <algorithm>

namespace spire_exporter::telemetry {
namespace {

constexpr size_t kNapMinMs = 2;  // a shorter one costs as much as it saves
constexpr size_t kNapMaxMs = 5;
constexpr Duration kStretch = std::chrono::milliseconds(20);
constexpr size_t kStretchMin = 8;
constexpr size_t kStretchMax = kNapDatagrams * 4;
// What fills a receive buffer, in bytes a millisecond: 50,000 datagrams a second of 1,432 bytes,
// for each of which the kernel accounts 2304.
constexpr size_t kBurstBytesPerMs = 50 * 2304;

}  // namespace

int NapPacer::AfterTurn(size_t datagrams, SteadyTime now, size_t buffer) {
  if (datagrams == 0) return 0;
  if (!last_ || now - *last_ >= kStretch) {
    since_ = now;
    count_ = 0;
    steady_ = false;
  }
  last_ = now;
  count_ += datagrams;
  if (count_ > kStretchMax) {
    since_ = now;
    count_ = 0;
    steady_ = false;
  } else if (now - since_ >= kStretch) {
    steady_ = count_ >= kStretchMin;
    since_ = now;
    count_ = 0;
  }
  // As many as one turn after a nap reads: there may be more.
  if (!steady_ || datagrams >= kNapDatagrams) return 0;
  const size_t nap = std::min(kNapMaxMs, buffer / 2 / kBurstBytesPerMs);
  return nap < kNapMinMs ? 0 : static_cast<int>(nap);
}

}  // namespace spire_exporter::telemetry
