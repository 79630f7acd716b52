// One line of DogStatsD, versions 1.0 to 1.6 (docs.datadoghq.com, "DogStatsD datagram format"):
// `name:value[:value...]|type[|@rate][|#tag:value,tag][|T<seconds>][|c:..][|e:..][|card:..]`, with
// the sections after the type in any order and those nobody knows left aside.
#ifndef COLLECTORS_TELEMETRY_LINE_H_
#define COLLECTORS_TELEMETRY_LINE_H_

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "collectors/telemetry/mapping.h"
#include "exporter/metrics/labels.h"

namespace spire_exporter::telemetry {

// Why a line was not taken. Every line is either taken or counted under exactly one of these.
enum class Reject : uint8_t {
  kNone,       // taken
  kMalformed,  // no name and value, or no type
  kEmptyName,
  kInvalidValue,     // a value that is not a number
  kRefusedValue,     // NaN, an infinity, or a negative number where only a rise makes sense
  kInvalidRate,      // a sample rate outside (0, 1]
  kUnsupportedType,  // a set, or a type nobody knows
  kInvalidUtf8,      // in the name or the tags
  kTooLong,          // a name and tags of more than kKeySizeMax bytes or kTagsMax tags
  kSeriesLimit,      // well formed, but one series more than there may be
  kTruncated,        // the torn end of a datagram larger than 64 KiB
  kEvent,            // `_e{`: understood and not counted as a measurement
  kServiceCheck,     // `_sc|`
};
inline constexpr size_t kRejectCount = 13;  // kNone included
// The values of the label `reason`, in the order of the enumeration; empty for kNone.
std::span<const std::string_view> RejectNames();

inline constexpr size_t kKeySizeMax = 4096;
inline constexpr size_t kTagsMax = 64;
// No line counts for more events than this, however small its sample rate.
inline constexpr uint64_t kWeightMax = 1'000'000;

// Views into the line.
struct Line {
  std::string_view name;
  std::string_view values;  // one or more, between colons, unchecked
  std::string_view type;    // `ms`
  std::string_view tags;    // behind `#`, empty without
  WireKind kind = WireKind::kCounter;
  uint64_t weight = 1;  // the events one value stands for: 1 / sample rate, rounded
};

// Takes a line apart; bytes of the values are not looked at. Not for lines without any byte.
Reject ParseLine(std::string_view line, Line* out);

// The tags of a line. Split at the first colon, so that values may hold more of them; a tag without
// a colon has an empty value. Of a repeated name the last wins: the client puts its global tags
// (DD_VERSION and the like) first and SPIRE's own behind them. Empty tags are skipped.
class TagList {
 public:
  // False when there are more than kTagsMax.
  bool Parse(std::string_view tags);
  std::span<const Label> labels() const { return {labels_.data(), size_}; }

 private:
  std::array<Label, kTagsMax> labels_;
  size_t size_ = 0;
};

// Reads the colon-separated values one by one: false at the end or at one that is not a number,
// which `bad` then tells apart.
class ValueReader {
 public:
  explicit ValueReader(std::string_view values) : rest_(values) {}
  bool Next(double* value);
  bool bad() const { return bad_; }

 private:
  std::string_view rest_;
  bool done_ = false;
  bool bad_ = false;
};

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_LINE_H_
