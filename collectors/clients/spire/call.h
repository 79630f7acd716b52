// What bounds one call to SPIRE.
#ifndef COLLECTORS_CLIENTS_SPIRE_CALL_H_
#define COLLECTORS_CLIENTS_SPIRE_CALL_H_

#include <stop_token>

#include "exporter/base/clock.h"

namespace spire_exporter::spire {

// The call has ended by the deadline, and at once when stop is requested (kCancelled). The clock is
// a real one: sockets wait in real time.
struct Call {
  Deadline deadline;
  std::stop_token stop;
  const Clock& clock;
};

}  // namespace spire_exporter::spire

#endif  // COLLECTORS_CLIENTS_SPIRE_CALL_H_
