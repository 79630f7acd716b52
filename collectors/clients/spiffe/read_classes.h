// `classes` of the configuration.
#ifndef COLLECTORS_CLIENTS_SPIFFE_READ_CLASSES_H_
#define COLLECTORS_CLIENTS_SPIFFE_READ_CLASSES_H_

#include <string>
#include <vector>

#include "collectors/clients/spiffe/class_map.h"
#include "exporter/base/config_node.h"
#include "exporter/base/result.h"

namespace spire_exporter::spiffe {

// `node` is the list: maps of `name` and `match`, strict, and such that ClassMap::Make() takes
// them. An absent list is none. Touches `classes` only on success.
Status ReadClasses(const ConfigNode& node, std::vector<ClassOptions>* classes);

// As text, for fingerprints.
std::string Fingerprint(const std::vector<ClassOptions>& classes);

}  // namespace spire_exporter::spiffe

#endif  // COLLECTORS_CLIENTS_SPIFFE_READ_CLASSES_H_
