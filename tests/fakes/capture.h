// Reading recorded datagrams and pages, for tests that hold the simulator against them.
#ifndef TESTS_FAKES_CAPTURE_H_
#define TESTS_FAKES_CAPTURE_H_

#include <compare>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fakes/recording_writer.h"
#include "tests/fakes/release.h"

namespace spire_exporter::fakes {

struct Line {
  std::string key;
  std::string value;
  std::string type;
  std::vector<std::string> tags;
};

// A key as a listener tells it from others: name, type, names of its tags in order.
struct Shown {
  std::string key;
  std::string type;
  std::string tag_names;
  auto operator<=>(const Shown&) const = default;
  // For messages of GoogleTest.
  friend void PrintTo(const Shown& shown, std::ostream* out) {
    *out << shown.key << '|' << shown.type << "|#" << shown.tag_names;
  }
};

// A family on a page: type and names of its labels, sorted.
struct ShownFamily {
  std::string type;
  std::set<std::string> labels;
  bool operator==(const ShownFamily&) const = default;
};

std::string_view ReleaseName(Release release);

// All captured streams of a release and role (`.cap`), by file name.
std::map<std::string, std::vector<Recording::Datagram>> CapturedStreams(Release release, Role role);
// Families of all captured pages of a release and role, taken together.
std::map<std::string, ShownFamily> CapturedFamilies(Release release, Role role);

std::vector<std::string> LinesOf(std::string_view datagram);
// Dies with a message when the line is not of the form `key:value|type[|#tags]`.
Line ParseLine(const std::string& line);
Shown ShownAs(const Line& line);
bool IsSelfTelemetry(const Line& line);
std::map<std::string, ShownFamily> FamiliesOf(const std::string& page);

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_CAPTURE_H_
