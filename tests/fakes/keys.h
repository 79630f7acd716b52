// What SPIRE can send, by role and version: the simulator sends nothing that is not in this table.
#ifndef TESTS_FAKES_KEYS_H_
#define TESTS_FAKES_KEYS_H_

#include <span>
#include <string_view>

#include "tests/fakes/release.h"

namespace spire_exporter::fakes {

// How SPIRE hands a value over.
enum class Shape {
  kCall,     // a counter with a `status`, and the same key with `.elapsed_time` as a timer
  kCounter,  // a plain counter
  kGauge,
  kSample,  // a plain sample: a timer on the wire, a summary on the page
};

// Sets of releases.
inline constexpr unsigned kOnly172 = 1U << static_cast<unsigned>(Release::k1_7_2);
inline constexpr unsigned kOld = kOnly172 | 1U << static_cast<unsigned>(Release::k1_8_0);
inline constexpr unsigned kNew = 1U << static_cast<unsigned>(Release::k1_13_3) |
                                 1U << static_cast<unsigned>(Release::k1_14_7) |
                                 1U << static_cast<unsigned>(Release::k1_15_3);
inline constexpr unsigned kAll = kOld | kNew;

struct Key {
  // Parts joined by dots, without the service name. An empty part (1.7, 1.8) leaves no trace in the
  // stream and a second underscore on the page.
  std::string_view name;
  Shape shape;
  unsigned releases;
  double median_ms;  // of a call
};

// Sorted by name.
std::span<const Key> ServerKeys();
std::span<const Key> AgentKeys();
std::span<const Key> KeysOf(Role role);

// The key as that release has it; null when that release does not send it.
const Key* FindKey(Role role, Release release, std::string_view name);

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_KEYS_H_
