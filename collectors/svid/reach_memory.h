// What is known of the servers' addresses from one round to the next.
#ifndef COLLECTORS_SVID_REACH_MEMORY_H_
#define COLLECTORS_SVID_REACH_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "collectors/clients/net/dial.h"
#include "collectors/svid/reach_judge.h"
#include "collectors/svid/reach_probe.h"
#include "exporter/base/clock.h"

namespace spire_exporter::svid {

// At most 16 addresses. Not safe from several threads.
class ReachMemory {
 public:
  static constexpr size_t kAddressesMax = 16;

  // The addresses that the name stands for now. What is known of others is forgotten. Whether they
  // are others than before.
  bool Resolved(const std::vector<SocketAddress>& addresses);
  size_t size() const { return addresses_.size(); }

  // What to do at the places that are picked; those that were never looked at are done anyway, and
  // those whose certificate has ended since: it may have been renewed.
  // `places` gets the place of each task.
  std::vector<ReachTask> Tasks(const std::vector<bool>& picked, SystemTime now,
                               std::vector<size_t>* places);
  // Whether that changed where the address stands or what it serves.
  bool Learn(size_t place, ReachProbe probe, SystemTime now, SteadyTime steady);

  // Of those that were looked at.
  std::vector<ServerState> States() const;
  // The largest of all, by magnitude.
  std::optional<double> ClockOffset() const;

 private:
  struct Known {
    std::optional<ServerState> state;
    ClockProof clock;
    uint64_t looks = 0;
  };

  std::vector<SocketAddress> addresses_;
  std::vector<std::string> keys_;  // of the addresses, by place
  std::map<std::string, Known> known_;
};

}  // namespace spire_exporter::svid

#endif  // COLLECTORS_SVID_REACH_MEMORY_H_
