#include "collectors/svid/reach_memory.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace spire_exporter::svid {
namespace {

// Every so many looks a handshake is looked at by itself though all is well, for its times.
constexpr uint64_t kHandshakeEvery = 10;

std::string KeyOf(const SocketAddress& address) {
  const auto* const bytes = reinterpret_cast<const char*>(&address.storage);
  return {bytes, address.size};
}

}  // namespace

bool ReachMemory::Resolved(const std::vector<SocketAddress>& addresses) {
  addresses_.clear();
  keys_.clear();
  std::map<std::string, Known> next;
  bool others = false;
  // A resolver turns their order round and round; a place is an address all the same.
  std::map<std::string, const SocketAddress*> ordered;
  for (const SocketAddress& address : addresses) ordered.emplace(KeyOf(address), &address);
  for (const auto& [key, address] : ordered) {
    if (addresses_.size() == kAddressesMax) break;
    addresses_.push_back(*address);
    keys_.push_back(key);
    const auto found = known_.find(key);
    others = others || found == known_.end();
    next.emplace(key, found == known_.end() ? Known() : std::move(found->second));
  }
  others = others || next.size() != known_.size();
  known_ = std::move(next);
  return others;
}

std::vector<ReachTask> ReachMemory::Tasks(const std::vector<bool>& picked, SystemTime now,
                                          std::vector<size_t>* places) {
  std::vector<ReachTask> tasks;
  for (size_t place = 0; place < addresses_.size(); ++place) {
    Known& known = known_[keys_[place]];
    const bool ended =
        known.state && known.state->shown &&
        known.state->shown->leaf.not_after <= std::chrono::floor<std::chrono::seconds>(now);
    if (known.state && !picked[place] && !ended) continue;
    const bool served = known.state && known.state->ended == spire::ServerStage::kDone;
    tasks.push_back({addresses_[place], served && known.looks % kHandshakeEvery != 0});
    ++known.looks;
    places->push_back(place);
  }
  return tasks;
}

bool ReachMemory::Learn(size_t place, ReachProbe probe, SystemTime now, SteadyTime steady) {
  Known& known = known_[keys_[place]];
  ServerState state;
  state.ended = probe.ended;
  state.code = probe.code;
  state.seen = now;
  state.shown = ReadShown(std::move(probe.chain), probe.served ? &*probe.served : nullptr);
  if (probe.served) state.served = ViewOf(*probe.served);
  if (state.shown) known.clock.Observe(state.shown->leaf.not_before, now, steady);
  const bool same =
      known.state && known.state->ended == state.ended && known.state->code == state.code &&
      (state.served == nullptr || (known.state->served->x509_number == state.served->x509_number &&
                                   known.state->served->jwt_number == state.served->jwt_number));
  known.state = std::move(state);
  return !same;
}

std::vector<ServerState> ReachMemory::States() const {
  std::vector<ServerState> states;
  for (const std::string& key : keys_) {
    const auto found = known_.find(key);
    if (found != known_.end() && found->second.state) states.push_back(*found->second.state);
  }
  return states;
}

std::optional<double> ReachMemory::ClockOffset() const {
  std::optional<double> largest;
  for (const auto& [key, known] : known_) {
    const auto offset = known.clock.offset_seconds();
    if (offset && (!largest || std::abs(*offset) > std::abs(*largest))) largest = offset;
  }
  return largest;
}

}  // namespace spire_exporter::svid
