// All agents in one pass: what state they are in, of which version and kind, and how long their
// SVIDs still live.
#ifndef COLLECTORS_DATASTORE_AGENT_TALLY_H_
#define COLLECTORS_DATASTORE_AGENT_TALLY_H_

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/clients/spiffe/class_map.h"
#include "collectors/clients/spire/runway_facts.h"
#include "exporter/metrics/gauge_histogram.h"
#include "exporter/metrics/lifetime_histogram.h"

namespace spire_exporter::datastore {

// Counts of names that others choose: at most `kNamesMax` are told apart, each at most 64 bytes.
class NameCounts {
 public:
  static constexpr size_t kNamesMax = 1024;

  void Add(std::string_view name);
  // The most frequent `top` by count, then name, and `other` for the rest when there is a rest.
  // No name is `unknown`.
  std::vector<std::pair<std::string, uint64_t>> Top(size_t top) const;

 private:
  std::map<std::string, uint64_t, std::less<>> counts_;
  uint64_t other_ = 0;
};

// Renewal is due at about half of the lifetime: with less than this share left it is overdue.
inline constexpr double kOverdueShare = 0.4;

inline constexpr size_t kVersionsMax = 32;
inline constexpr size_t kAttestorsMax = 16;
inline constexpr size_t kClustersMax = 32;

struct AgentCounts {
  // Agents that are not banned.
  uint64_t active = 0;
  std::optional<uint64_t> overdue;  // in `active` while the lifetime is not known
  uint64_t lapsed = 0;              // expired within the last ten minutes
  uint64_t expiring = 0;            // of the active and overdue: within the next ten minutes
  // Of the active and overdue.
  std::vector<std::pair<std::string, uint64_t>> versions;
  std::vector<std::pair<std::string, uint64_t>> attestors;
  std::vector<std::pair<std::string, uint64_t>> clusters;  // of k8s_psat and k8s_sat
  std::vector<uint64_t> classes;                           // as ClassMap::names()
  // When those expire that were not overdue at the last renewal of any agent, by seconds; with the
  // classes that go first, where there are classes.
  spire::Horizon horizon;
  GaugeHistogram remaining;             // seconds
  std::optional<GaugeHistogram> ratio;  // of the lifetime
};

// Not safe from several threads. Memory: 1.2 MiB, however many agents.
class AgentTally {
 public:
  static constexpr int64_t kLapsedSeconds = 600;
  static constexpr int64_t kExpiringSeconds = 600;

  // `now` in Unix seconds by the database's clock; `ttl` is the lifetime that agents' SVIDs are
  // issued with, in seconds, where it is known; `renewed` is when any agent last renewed.
  AgentTally(std::shared_ptr<const spiffe::ClassMap> classes, int64_t now,
             std::optional<double> ttl, std::optional<int64_t> renewed = std::nullopt);

  // One that is not banned.
  void Add(int64_t expiry, std::string_view attestor, std::string_view version,
           std::string_view spiffe_id);
  // Ends it.
  AgentCounts Finish();

 private:
  static constexpr size_t kBatch = 1024;
  static constexpr int64_t kTable = int64_t{1} << 16;

  void Flush();
  void AddEnd(int64_t expiry, size_t of_class);
  spire::Horizon MakeHorizon() const;

  const std::shared_ptr<const spiffe::ClassMap> classes_;
  const int64_t now_;
  const std::optional<double> ttl_;
  const int64_t horizon_from_;
  AgentCounts counts_;
  NameCounts versions_;
  NameCounts attestors_;
  NameCounts clusters_;
  LifetimeHistogram lifetimes_;
  std::vector<int64_t> batch_;
  // Living ones by remaining seconds, for the ratio, whose buckets part seconds otherwise than
  // those of `lifetimes_` do; what is beyond is in `far_`.
  std::vector<uint32_t> seconds_;
  NativeHistogram far_;
  // By seconds after `horizon_from_`; the last place takes what is beyond, under the first of them.
  std::vector<uint32_t> ends_;
  int64_t first_beyond_ = std::numeric_limits<int64_t>::max();
  std::vector<int64_t> class_first_;  // Unix time, by class
  std::vector<uint64_t> class_ends_;
};

// `spiffe://td/spire/agent/k8s_psat/CLUSTER/...`: CLUSTER; empty for agents of other kinds.
std::string_view ClusterOf(std::string_view attestor, std::string_view spiffe_id);

}  // namespace spire_exporter::datastore

#endif  // COLLECTORS_DATASTORE_AGENT_TALLY_H_
