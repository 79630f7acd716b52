#include "collectors/datastore/event_follower.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace spire_exporter::datastore {
namespace {

// A transaction that takes longer than this between its id and its commit is taken for lost, and a
// row that has had no event for as long is taken for somebody else's.
constexpr Duration kGapAge = std::chrono::minutes(2);
constexpr Duration kEventDelay = std::chrono::minutes(1);
constexpr int64_t kBehindMax = 4 * static_cast<int64_t>(EventFollower::kBatch);

size_t HashOf(const std::string& entry_id) {
  return std::hash<std::string>()(entry_id);
}

}  // namespace

void EventFollower::Recent::Put(size_t hash) {
  if (!set_.insert(hash).second) return;
  order_.push_back(hash);
  if (order_.size() > max_) {
    set_.erase(order_.front());
    order_.pop_front();
  }
}

FollowRequest EventFollower::Next() const {
  FollowRequest request{last_event_, {}, last_row_};
  for (const auto& [id, since] : gaps_) request.gaps.push_back(id);
  return request;
}

void EventFollower::Restart() {
  last_event_.reset();
  last_row_.reset();
  ids_base_.reset();
  made_ = 0;
  gaps_.clear();
  pending_.clear();
}

void EventFollower::Take(std::span<const EntryEvent> events, std::span<const EntryRow> rows,
                         std::optional<int64_t> newest_event, std::optional<int64_t> newest_row,
                         std::optional<int64_t> ids_given, SteadyTime now) {
  if (last_event_) {
    FollowGaps(events, now);
    Judge(events, ids_given);
    FollowRows(rows, now);
    if (newest_event && *newest_event - *last_event_ > kBehindMax) {
      const int64_t next = *newest_event - static_cast<int64_t>(kBatch);
      changes_.unfollowed += static_cast<uint64_t>(next - *last_event_);
      last_event_ = next;
      gaps_.clear();
      pending_.clear();  // their events may be among those skipped
      last_row_ = newest_row;
    }
  } else {
    // An empty table begins at 0: its next event is a new one.
    last_event_ = newest_event.value_or(0);
    last_row_ = newest_row.value_or(0);
  }
  alive_ = true;
  if (!ids_base_) ids_base_ = ids_given;
}

void EventFollower::FollowGaps(std::span<const EntryEvent> events, SteadyTime now) {
  for (const EntryEvent& event : events) {
    if (event.id <= *last_event_) {
      gaps_.erase(event.id);
      continue;
    }
    for (int64_t id = std::max(*last_event_ + 1, event.id - static_cast<int64_t>(kGapsMax));
         id < event.id; ++id) {
      gaps_.emplace(id, now);
    }
    last_event_ = event.id;
  }
  std::erase_if(gaps_, [&](const auto& gap) { return now - gap.second > kGapAge; });
  while (gaps_.size() > kGapsMax) gaps_.erase(gaps_.begin());
}

// Makes of a present entry's events what they were; whether it was made is returned as 1.
uint64_t EventFollower::JudgePresent(size_t hash, const Group& group) {
  const bool created = group.born && !created_.Has(hash);
  changes_.created += created ? 1 : 0;
  changes_.updated += group.count - (created ? 1 : 0);
  if (created) created_.Put(hash);
  known_.Put(hash);
  return created ? 1 : 0;
}

void EventFollower::Judge(std::span<const EntryEvent> events, std::optional<int64_t> ids_given) {
  std::unordered_map<size_t, Group> groups;
  for (const EntryEvent& event : events) {
    const size_t hash = HashOf(event.entry_id);
    Group& group = groups[hash];
    ++group.count;
    if (event.row_id) group.row_id = event.row_id;
    group.born = group.born || event.born;
    named_.Put(hash);
  }
  uint64_t made = 0;
  uint64_t suspects = 0;  // gone, never seen, and with more than the event of their end
  for (const auto& [hash, group] : groups) {
    if (group.row_id) {
      made += JudgePresent(hash, group);
      continue;
    }
    if (deleted_.Has(hash)) {
      // Its end was thought to be the event before, which must have been its beginning.
      changes_.created += 1;
      changes_.short_lived += 1;
      changes_.updated += group.count - 1;
      made += 1;
      continue;
    }
    changes_.deleted += 1;
    if (group.count == 1) {
      deleted_.Put(hash);
    } else if (known_.Has(hash)) {
      changes_.updated += group.count - 1;
    } else {
      suspects += 1;
      changes_.updated += group.count - 2;
    }
  }
  uint64_t lived = suspects;
  made_ += made;
  if (ids_given && ids_base_) {
    const auto given = static_cast<uint64_t>(std::max<int64_t>(*ids_given - *ids_base_, 0));
    lived = std::min(suspects, given > made_ ? given - made_ : 0);
  }
  made_ += lived;
  changes_.created += lived;
  changes_.short_lived += lived;
  changes_.updated += suspects - lived;
}

void EventFollower::FollowRows(std::span<const EntryRow> rows, SteadyTime now) {
  std::erase_if(pending_, [&](const Pending& row) { return named_.Has(row.hash); });
  for (const EntryRow& row : rows) {
    last_row_ = std::max(last_row_.value_or(0), row.id);
    const size_t hash = HashOf(row.entry_id);
    if (!named_.Has(hash) && pending_.size() < kBatch) pending_.push_back({hash, now});
  }
  const auto overdue = std::remove_if(pending_.begin(), pending_.end(), [&](const Pending& row) {
    return now - row.since > kEventDelay;
  });
  changes_.without_event += static_cast<uint64_t>(pending_.end() - overdue);
  pending_.erase(overdue, pending_.end());
}

}  // namespace spire_exporter::datastore
