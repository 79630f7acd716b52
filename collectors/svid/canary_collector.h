// Gets identities as a workload would, to know whether workloads can: the target `canary`.
#ifndef COLLECTORS_SVID_CANARY_COLLECTOR_H_
#define COLLECTORS_SVID_CANARY_COLLECTOR_H_

#include <memory>

#include "collectors/clients/spire/channel.h"
#include "collectors/svid/canary_options.h"
#include "exporter/base/clock.h"
#include "exporter/collect/collector.h"
#include "exporter/collect/module.h"

namespace spire_exporter::svid {

// A round is an X.509-SVID with its bundle, a token for an audience whose last one has ended, and
// once a minute the keys that verify tokens. It costs the agent about 3 ms of CPU and a server one
// signature. Between rounds, what the last one said is told again. Publishes spire::CanaryFact as
// `canary`.
std::unique_ptr<Collector> MakeCanaryCollector(const CanaryOptions& options,
                                               std::shared_ptr<spire::Channel> channel,
                                               const Clock& clock);

// A line of `spire-exporter check`.
CheckLine CheckCanary(const CanaryOptions& options, const std::shared_ptr<spire::Channel>& channel,
                      const Clock& clock, const Deadline& deadline);

}  // namespace spire_exporter::svid

#endif  // COLLECTORS_SVID_CANARY_COLLECTOR_H_
