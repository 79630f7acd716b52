// The collector `svid`: what identities and trust look like from where it stands.
#ifndef COLLECTORS_SVID_SVID_MODULE_H_
#define COLLECTORS_SVID_SVID_MODULE_H_

#include "exporter/collect/module.h"

namespace spire_exporter {

const CatalogEntry& SvidCatalogEntry();

}  // namespace spire_exporter

#endif  // COLLECTORS_SVID_SVID_MODULE_H_
