// The line of `spire-exporter check` about the servers.
#ifndef COLLECTORS_SVID_REACH_CHECK_H_
#define COLLECTORS_SVID_REACH_CHECK_H_

#include "collectors/svid/reach_collector.h"
#include "collectors/svid/reach_options.h"
#include "exporter/base/clock.h"
#include "exporter/collect/module.h"

namespace spire_exporter::svid {

// Looks once at each address behind the name, as the collector does, within `options.timeout` and
// the deadline: good when all serve their bundle, else it says at which stage the first one that
// does not has failed.
CheckLine CheckServers(const ReachOptions& options, const ResolveServers& resolve,
                       const Clock& clock, const Deadline& deadline);

}  // namespace spire_exporter::svid

#endif  // COLLECTORS_SVID_REACH_CHECK_H_
