// The options under `datastore`.
#ifndef COLLECTORS_DATASTORE_DATASTORE_OPTIONS_H_
#define COLLECTORS_DATASTORE_DATASTORE_OPTIONS_H_

#include <string>
#include <vector>

#include "collectors/clients/postgres/client_options.h"
#include "collectors/clients/spiffe/class_map.h"
#include "exporter/base/clock.h"
#include "exporter/base/config_node.h"
#include "exporter/base/result.h"
#include "exporter/collect/module.h"

namespace spire_exporter::datastore {

struct DatastoreOptions {
  pg::ClientOptions client;                           // postgres.nodes
  Duration interval = std::chrono::seconds(15);       // tier 1
  Duration deep_interval = std::chrono::minutes(10);  // tier 2
  Duration audit_interval = std::chrono::hours(1);    // tier 3
  Duration timeout = std::chrono::seconds(3);         // of a reading of tier 1
  std::string trust_domain;                           // of SPIRE; may be empty
  std::vector<spiffe::ClassOptions> classes;          // the top-level key `classes`

  // The options as text, for Collector::Fingerprint().
  std::string Fingerprint() const;
};

// `config` is the whole tree. Strict; touches `options` only on success.
Status ReadDatastoreOptions(const ConfigNode& config, Role role, DatastoreOptions* options);

// The whole tree with the defaults filled in. `config` has been read well.
ConfigNode WithDatastoreDefaults(const ConfigNode& config, Role role);

}  // namespace spire_exporter::datastore

#endif  // COLLECTORS_DATASTORE_DATASTORE_OPTIONS_H_
