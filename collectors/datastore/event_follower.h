// Follows the registration entries event by event, so that one which lived for five seconds is
// counted, and new rows, so that one which SPIRE did not write is.
#ifndef COLLECTORS_DATASTORE_EVENT_FOLLOWER_H_
#define COLLECTORS_DATASTORE_EVENT_FOLLOWER_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "exporter/base/clock.h"

namespace spire_exporter::datastore {

// An event names the entry that was changed, not what was done to it: that is told by the entry's
// row as it is when we look.
struct EntryEvent {
  int64_t id = 0;
  std::string entry_id;
  std::optional<int64_t> row_id;  // nothing when there is no such entry any more
  // Whether the entry was made at the moment of the event, to within two seconds.
  bool born = false;
};

struct EntryRow {
  int64_t id = 0;
  std::string entry_id;
};

// What to ask for next.
struct FollowRequest {
  std::optional<int64_t> after_event;  // nothing before the first look
  std::vector<int64_t> gaps;           // ids that were passed over and may still be committed
  std::optional<int64_t> after_row;
};

// All since the first look.
struct EntryChanges {
  uint64_t created = 0;
  uint64_t updated = 0;
  uint64_t deleted = 0;
  // Created and deleted between two looks; also in both of those.
  uint64_t short_lived = 0;
  // Events that were skipped because there were too many at once.
  uint64_t unfollowed = 0;
  // Rows that no event named within a minute: not SPIRE's doing.
  uint64_t without_event = 0;
};

// Not safe from several threads. Remembers hashes of entry ids, at most some 8,000, and no ids.
class EventFollower {
 public:
  // Events, and new rows, that one look takes; what is more than four looks behind is skipped.
  static constexpr size_t kBatch = 500;
  static constexpr size_t kGapsMax = 100;

  FollowRequest Next() const;

  // `events` in order of their ids; the answer to Next(). `newest_event` and `newest_row` are the
  // highest ids there are, `ids_given` how many ids of rows were ever given out (the sequence's
  // position) where that is known: it tells a short-lived entry from an old one that was updated
  // and deleted between two looks.
  void Take(std::span<const EntryEvent> events, std::span<const EntryRow> rows,
            std::optional<int64_t> newest_event, std::optional<int64_t> newest_row,
            std::optional<int64_t> ids_given, SteadyTime now);
  // The database went back in time: begins anew at what there is now, and keeps the counts.
  void Restart();

  const EntryChanges& changes() const { return changes_; }
  // Whether it has looked once, so that counts are counts.
  bool alive() const { return alive_; }

 private:
  // A set of the hashes last put in.
  class Recent {
   public:
    explicit Recent(size_t max) : max_(max) {}
    bool Has(size_t hash) const { return set_.contains(hash); }
    void Put(size_t hash);

   private:
    size_t max_;
    std::deque<size_t> order_;
    std::unordered_set<size_t> set_;
  };
  // The events of one entry in one look.
  struct Group {
    uint64_t count = 0;
    std::optional<int64_t> row_id;
    bool born = false;
  };
  struct Pending {
    size_t hash = 0;
    SteadyTime since;
  };

  void FollowGaps(std::span<const EntryEvent> events, SteadyTime now);
  void Judge(std::span<const EntryEvent> events, std::optional<int64_t> ids_given);
  uint64_t JudgePresent(size_t hash, const Group& group);
  void FollowRows(std::span<const EntryRow> rows, SteadyTime now);

  bool alive_ = false;
  std::optional<int64_t> last_event_;
  std::map<int64_t, SteadyTime> gaps_;  // since when missing
  std::optional<int64_t> last_row_;
  // Ids of rows that were given out before the first look, and entries made since.
  std::optional<int64_t> ids_base_;
  uint64_t made_ = 0;
  std::vector<Pending> pending_;  // new rows whose event has not come yet
  Recent created_{2048};          // entries whose making was counted
  Recent known_{2048};            // entries that were there at some look
  Recent deleted_{2048};          // entries that were gone with one event
  Recent named_{4096};            // entries that an event named
  EntryChanges changes_;
};

}  // namespace spire_exporter::datastore

#endif  // COLLECTORS_DATASTORE_EVENT_FOLLOWER_H_
