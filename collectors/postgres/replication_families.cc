#include "collectors/postgres/replication_families.h"

#include <algorithm>
#include <string_view>

#include "collectors/postgres/replication_family_table.h"

namespace spire_exporter::postgres {
namespace {

namespace f = family;

constexpr const FamilyDescription* kFamilies[] = {&f::kUp,
                                                  &f::kNodeState,
                                                  &f::kRoleMet,
                                                  &f::kInfo,
                                                  &f::kRight,
                                                  &f::kTimeline,
                                                  &f::kWalPosition,
                                                  &f::kClusterState,
                                                  &f::kWritable,
                                                  &f::kStandbys,
                                                  &f::kSystems,
                                                  &f::kLag,
                                                  &f::kLagAtLeast,
                                                  &f::kLagBytes,
                                                  &f::kReplicationState,
                                                  &f::kLagState,
                                                  &f::kReceiverRunning,
                                                  &f::kMessageAge,
                                                  &f::kPaused,
                                                  &f::kUnreplayed,
                                                  &f::kConflicts,
                                                  &f::kSenders,
                                                  &f::kStreaming,
                                                  &f::kReplyAge,
                                                  &f::kSynchronous,
                                                  &f::kSlotCount,
                                                  &f::kSlotState,
                                                  &f::kInactiveSince,
                                                  &f::kRetained,
                                                  &f::kSafe,
                                                  &f::kInvalidation};

// The name of an enumerator in its closed set.
template <typename State, size_t n>
std::string_view NameIn(const std::string_view (&names)[n], State state) {
  return names[static_cast<size_t>(state)];
}

// What PostgreSQL lets a slot be called; anything else is somebody else's server.
std::string SlotLabel(std::string_view name) {
  constexpr size_t kNameMax = 63;
  std::string label(name.substr(0, kNameMax));
  for (char& c : label) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')) c = '_';
  }
  return label;
}

uint64_t Distance(uint64_t to, uint64_t from) {
  return to > from ? to - from : 0;
}

class Adder {
 public:
  Adder(const NodeKnown& node, const NodeVerdict& verdict, FamilyBuilder* builder)
      : node_(node), verdict_(verdict), builder_(*builder), name_(node.view.name) {}

  void AddAll(size_t* slots_left) {
    Gauge(f::kUp, verdict_.up ? 1 : 0);
    builder_.AddState(f::kNodeState, {name_}, NameIn(kNodeStates, verdict_.state));
    builder_.AddState(f::kReplicationState, {name_},
                      NameIn(kReplicationStates, verdict_.replication));
    builder_.AddState(f::kLagState, {name_}, NameIn(kLagStates, verdict_.lag_state));
    if (!verdict_.up) return;
    if (verdict_.role_met) Gauge(f::kRoleMet, *verdict_.role_met ? 1 : 0);
    builder_.AddInfo(f::kInfo, {name_, std::to_string(node_.version / 10'000) + "." +
                                           std::to_string(node_.version % 10'000)});
    Known(f::kTimeline, verdict_.timeline);
    if (verdict_.lag) Gauge(f::kLag, Seconds(*verdict_.lag));
    if (verdict_.lag_at_least) Gauge(f::kLagAtLeast, Seconds(*verdict_.lag_at_least));
    Known(f::kLagBytes, verdict_.lag_bytes);
    if (node_.view.position) AddPosition(*node_.view.position);
    if (node_.view.settings) {
      builder_.Add(f::kRight, {name_, f::kRights[0]}, node_.view.settings->may_read_stats ? 1 : 0);
      Gauge(f::kSynchronous, node_.view.settings->synchronous ? 1 : 0);
    }
    if (node_.surroundings) AddSurroundings(*node_.surroundings, slots_left);
  }

 private:
  void Gauge(const FamilyDescription& description, double value) {
    builder_.Add(description, {name_}, value);
  }
  template <typename T>
  void Known(const FamilyDescription& description, const std::optional<T>& value) {
    if (value) Gauge(description, static_cast<double>(*value));
  }

  void AddPosition(const PositionReading& position) {
    Known(f::kWalPosition, position.in_recovery ? position.replayed : position.flushed);
    if (!position.in_recovery) return;
    Gauge(f::kReceiverRunning, position.receiver ? 1 : 0);
    if (position.receiver) Known(f::kMessageAge, position.receiver->message_age);
    Known(f::kPaused, position.paused);
    if (position.received && position.replayed) {
      Gauge(f::kUnreplayed, static_cast<double>(Distance(*position.received, *position.replayed)));
    }
  }

  void AddSurroundings(const SurroundingsReading& reading, size_t* slots_left) {
    if (node_.view.position && node_.view.position->in_recovery) {
      for (size_t i = 0; i < kConflictReasons.size(); ++i) {
        if (!reading.conflicts[i]) continue;
        builder_.Add(f::kConflicts, {name_, kConflictReasons[i]},
                     static_cast<double>(*reading.conflicts[i]));
      }
    }
    if (reading.senders) {
      for (size_t i = 0; i < kSenderStates.size(); ++i) {
        builder_.Add(f::kSenders, {name_, kSenderStates[i]},
                     static_cast<double>(reading.senders->by_state[i]));
      }
      for (size_t i = 0; i < kSyncStates.size(); ++i) {
        builder_.Add(f::kStreaming, {name_, kSyncStates[i]},
                     static_cast<double>(reading.senders->by_sync[i]));
      }
      Known(f::kReplyAge, reading.senders->reply_age_max);
    }
    Gauge(f::kSlotCount, static_cast<double>(reading.slots_total));
    for (const SlotReading& slot : reading.slots) {
      if (*slots_left == 0) return;
      --*slots_left;
      AddSlot(slot);
    }
  }

  void AddSlot(const SlotReading& slot) {
    const std::string label = SlotLabel(slot.name);
    builder_.AddState(f::kSlotState, {name_, label}, NameIn(f::kSlotStates, StateOfSlot(slot)));
    if (!slot.active) {
      const auto seen = node_.slots_inactive_since.find(slot.name);
      if (slot.inactive_since) {
        builder_.Add(f::kInactiveSince, {name_, label}, *slot.inactive_since);
      } else if (seen != node_.slots_inactive_since.end()) {
        builder_.Add(f::kInactiveSince, {name_, label}, seen->second);
      }
    }
    const PositionReading& position = *node_.view.position;
    const std::optional<uint64_t> here =
        position.in_recovery ? position.replayed : position.flushed;
    if (slot.restart && here) {
      builder_.Add(f::kRetained, {name_, label},
                   static_cast<double>(Distance(*here, *slot.restart)));
    }
    if (slot.safe_wal_size) {
      builder_.Add(f::kSafe, {name_, label}, static_cast<double>(*slot.safe_wal_size));
    }
    if (node_.version >= 170'000) {
      builder_.AddState(f::kInvalidation, {name_, label}, slot.invalidation_reason.value_or(""));
    }
  }

  const NodeKnown& node_;
  const NodeVerdict& verdict_;
  FamilyBuilder& builder_;
  const std::string_view name_;
};

}  // namespace

std::span<const FamilyDescription* const> ReplicationFamilies() {
  return kFamilies;
}

SlotState StateOfSlot(const SlotReading& slot) {
  if (slot.invalidation_reason) {
    return *slot.invalidation_reason == "wal_removed" ? SlotState::kLost : SlotState::kInvalidated;
  }
  if (slot.conflicting == true) return SlotState::kInvalidated;
  if (slot.wal_status == "lost") return SlotState::kLost;
  if (slot.active) return SlotState::kActive;
  return slot.restart ? SlotState::kInactive : SlotState::kUnused;
}

void WatchSlots(const std::vector<SlotReading>& slots, double now_seconds,
                std::map<std::string, double, std::less<>>* inactive_since) {
  std::map<std::string, double, std::less<>> now;
  for (const SlotReading& slot : slots) {
    if (slot.active) continue;
    const auto before = inactive_since->find(slot.name);
    now.emplace(slot.name, before == inactive_since->end() ? now_seconds : before->second);
  }
  *inactive_since = std::move(now);
}

void AddReplication(const std::vector<NodeKnown>& nodes, const ClusterVerdict& verdict,
                    FamilyBuilder* builder) {
  for (const FamilyDescription* description : kFamilies) builder->Declare(*description);
  builder->AddState(f::kClusterState, {}, NameIn(kClusterStates, verdict.state));
  if (verdict.state != ClusterState::kUnreachable) {
    builder->Add(f::kWritable, {}, verdict.writable);
    builder->Add(f::kStandbys, {}, verdict.standbys);
    if (verdict.systems > 0) builder->Add(f::kSystems, {}, verdict.systems);
  }
  size_t slots_left = f::kSlots;
  for (size_t i = 0; i < nodes.size() && i < verdict.nodes.size(); ++i) {
    Adder(nodes[i], verdict.nodes[i], builder).AddAll(&slots_left);
  }
}

}  // namespace spire_exporter::postgres
