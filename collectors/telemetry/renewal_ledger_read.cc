// What the ledger says of the first end.
#include <algorithm>

#include "collectors/telemetry/renewal_ledger.h"

namespace spire_exporter::telemetry {
namespace {

// Clocks that run apart by less have not been set.
constexpr Duration kSlew = std::chrono::seconds(2);

}  // namespace

const RenewalLedger::Record& RenewalLedger::RecordAt(uint64_t offset) const {
  for (const Record& record : records_) {
    if (offset < record.count) return record;
    offset -= record.count;
  }
  return records_.back();
}

// After the system's clock was set, and after the machine slept, the two clocks differ on how old a
// certificate is: the one that says older is believed.
SystemTime RenewalLedger::ExpiryOf(const Instant& at, const Instant& now) const {
  const auto ttl = std::chrono::duration_cast<SystemTime::duration>(*ttl_);
  const SystemTime by_system = at.system + ttl;
  const SystemTime by_steady =
      now.system + std::chrono::duration_cast<SystemTime::duration>(at.steady - now.steady) + ttl;
  return by_steady < by_system - kSlew ? by_steady : by_system;
}

RenewalLedger::Standing RenewalLedger::Read(const Instant& now) const {
  Standing standing;
  if (!ttl_) return standing;
  standing.shorter_lives = shorter_seen_ && now.steady - *shorter_seen_ < 2 * *ttl_;
  standing.whole = sure_ && cached_.has_value() && !standing.shorter_lives;
  uint64_t skip = taken_;
  for (const Record& record : records_) {
    const uint64_t skipped = std::min(skip, record.count);
    skip -= skipped;
    if (skipped == record.count) continue;
    standing.groups.push_back({ExpiryOf(record.at, now), record.count - skipped});
  }
  if (standing.groups.empty()) return standing;
  const SteadyTime latest = RecordAt(taken_).at.steady;
  SteadyTime earliest = taken_ + gone_ == 0 ? latest : records_.front().at.steady;
  if (last_sync_) earliest = std::max(earliest, last_sync_->steady - RenewedUntil());
  earliest = std::min(earliest, latest);
  const SteadyTime told =
      std::max(earliest, latest - std::chrono::duration_cast<SteadyTime::duration>(kMargin));
  standing.groups.front().expiry -= std::chrono::duration_cast<SystemTime::duration>(latest - told);
  standing.sooner = told - earliest;
  standing.later = RecordAt(taken_ + gone_).at.steady - told;
  return standing;
}

}  // namespace spire_exporter::telemetry
