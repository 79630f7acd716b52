// Notices that the database is not the one it was: restored from a backup, or emptied. SPIRE calls
// itself healthy then, and agents drop identities.
#ifndef COLLECTORS_DATASTORE_RESTORE_WATCH_H_
#define COLLECTORS_DATASTORE_RESTORE_WATCH_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "exporter/base/clock.h"

namespace spire_exporter::datastore {

// Not safe from several threads; remembers for as long as this process lives.
class RestoreWatch {
 public:
  // How long `restored` is said after it was noticed.
  static constexpr Duration kSaidFor = std::chrono::hours(1);
  // What falls within this time of a fall is the same restore: a look in the midst of one cannot
  // read every sign, and the next look sees the others fall.
  static constexpr Duration kOneRestore = std::chrono::minutes(1);

  // Begins a look at the primary.
  void Begin(SystemTime now);
  // A number that never falls in the life of a database: the position of a sequence, the newest id
  // of events, the sequence number of a bundle. Absent says nothing: events are pruned away.
  // Whether it fell.
  bool Note(std::string_view sign, std::optional<int64_t> value);
  // Whether SPIRE's tables are there, and whether they hold an entry or an agent; absent where that
  // is not known.
  void NoteTables(bool there, std::optional<bool> filled);

  // restored, emptied (they held something before), empty (never seen otherwise), no_tables,
  // normal.
  std::string_view Condition(SystemTime now) const;
  // Times that the database went back.
  uint64_t rewinds() const { return rewinds_; }
  std::optional<SystemTime> last_rewind() const { return last_rewind_; }

 private:
  std::map<std::string, int64_t, std::less<>> highest_;
  SystemTime look_;
  uint64_t rewinds_ = 0;
  std::optional<SystemTime> last_rewind_;
  bool ever_there_ = false;
  bool ever_filled_ = false;
  bool there_ = true;
  bool filled_ = true;
};

}  // namespace spire_exporter::datastore

#endif  // COLLECTORS_DATASTORE_RESTORE_WATCH_H_
