// The chain of the authority above SPIRE's, in a file: the target `upstream_chain`.
#ifndef COLLECTORS_SVID_UPSTREAM_CHAIN_H_
#define COLLECTORS_SVID_UPSTREAM_CHAIN_H_

#include <memory>
#include <span>
#include <string>

#include "exporter/base/clock.h"
#include "exporter/collect/collector.h"
#include "exporter/collect/module.h"
#include "exporter/metrics/description.h"

namespace spire_exporter::svid {

std::span<const FamilyDescription* const> UpstreamChainFamilies();

// Reads the file (PEM, at most 512 KiB) once a minute.
std::unique_ptr<Collector> MakeUpstreamChainCollector(const std::string& file);

// A line of `spire-exporter check`: whether it can be read, all in it is certificates and none has
// ended.
CheckLine CheckUpstreamChain(const std::string& file, SystemTime now);

}  // namespace spire_exporter::svid

#endif  // COLLECTORS_SVID_UPSTREAM_CHAIN_H_
