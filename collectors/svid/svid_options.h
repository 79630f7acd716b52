// `svid` of the configuration.
#ifndef COLLECTORS_SVID_SVID_OPTIONS_H_
#define COLLECTORS_SVID_SVID_OPTIONS_H_

#include <string>

#include "collectors/svid/canary_options.h"
#include "collectors/svid/reach_options.h"
#include "exporter/base/config_node.h"
#include "exporter/base/result.h"
#include "exporter/collect/module.h"

namespace spire_exporter::svid {

struct SvidOptions {
  ReachOptions reach;    // not watched without an address
  CanaryOptions canary;  // none without a socket
  // The chain of the authority above SPIRE's, PEM, where something like cert-manager keeps it in a
  // file; empty without one.
  std::string upstream_chain_file;
};

// `config` is the whole tree. Touches `options` only on success. A server looks at its own port
// unless told otherwise; an agent is told where its servers are, and where its Workload API is.
Status ReadSvidOptions(const ConfigNode& config, Role role, SvidOptions* options);
ConfigNode WithSvidDefaults(const ConfigNode& config, Role role);

}  // namespace spire_exporter::svid

#endif  // COLLECTORS_SVID_SVID_OPTIONS_H_
