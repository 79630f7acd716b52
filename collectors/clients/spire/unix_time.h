// Times on the wire.
#ifndef COLLECTORS_CLIENTS_SPIRE_UNIX_TIME_H_
#define COLLECTORS_CLIENTS_SPIRE_UNIX_TIME_H_

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "collectors/clients/spire/authority.h"

namespace spire_exporter::spire {

// Unix seconds, forced between 1970 and the end of the year 9999.
inline UnixTime ToUnixTime(int64_t unix_seconds) {
  constexpr int64_t kLatest = 253'402'300'799;
  return UnixTime(std::chrono::seconds(std::clamp<int64_t>(unix_seconds, 0, kLatest)));
}

}  // namespace spire_exporter::spire

#endif  // COLLECTORS_CLIENTS_SPIRE_UNIX_TIME_H_
