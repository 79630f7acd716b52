// Which SPIRE the simulator plays, and what follows from it on the wires.
#ifndef TESTS_FAKES_RELEASE_H_
#define TESTS_FAKES_RELEASE_H_

#include <cstddef>
#include <string_view>

#include "exporter/base/clock.h"
#include "exporter/base/result.h"

namespace spire_exporter::fakes {

enum class Role { kServer, kAgent };
// In the order of releases. 1.13.3 and 1.14.7 have the keys of 1.15.3 and the client of 1.8.
enum class Release { k1_7_2, k1_8_0, k1_13_3, k1_14_7, k1_15_3 };

Result<Role> ParseRole(std::string_view text);
Result<Release> ParseRelease(std::string_view text);

// `spire_server` or `spire_agent`: the first part of every key unless a prefix is configured.
std::string_view ServiceName(Role role);
// The value of the `version` label of `started`, as the recorded builds call themselves.
std::string_view VersionLabel(Release release);

// What a generation of the DogStatsD client does with lines. datadog-go 3.2.0 is in SPIRE 1.7 to
// 1.14, datadog-go 4.8.3 in SPIRE 1.15.
struct ClientDialect {
  size_t shards;       // buffers, chosen by FNV-1a of the metric name
  bool final_newline;  // every line ends with a newline, not only those in between
  bool counts_lines;   // reports `metrics`, `events`, `service_checks`, `metric_dropped_on_receive`
  bool reconnects;     // unixgram: dials anew for every datagram
  size_t unix_payload;  // bytes of a datagram on unixgram; 1,432 on UDP for both
  size_t unix_queue;    // datagrams that may wait for the sender on unixgram; 2,048 on UDP for both
  Duration write_timeout;        // unixgram
  std::string_view client_tags;  // of the self-telemetry, up to the transport
};
const ClientDialect& DialectOf(Release release);

inline constexpr size_t kUdpPayload = 1432;
inline constexpr size_t kUdpQueue = 2048;
inline constexpr Duration kFlushInterval = std::chrono::milliseconds(100);
inline constexpr Duration kSelfTelemetryInterval = std::chrono::seconds(10);

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_RELEASE_H_
