// Whether the stream can be listened for at an address, without listening there.
#ifndef COLLECTORS_TELEMETRY_LISTEN_CHECK_H_
#define COLLECTORS_TELEMETRY_LISTEN_CHECK_H_

#include "collectors/telemetry/listen_address.h"
#include "exporter/collect/module.h"

namespace spire_exporter::telemetry {

// For `spire-exporter check`. A place that is taken is well when it is this very program that has
// it, as seen in /proc: then the check runs beside the exporter. Takes nothing over, leaves nothing
// behind (UDP: binds for a moment).
CheckLine CheckListen(const ListenAddress& address);

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_LISTEN_CHECK_H_
