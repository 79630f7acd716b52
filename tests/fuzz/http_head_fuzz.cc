// The scanner that looks at a client's first bytes: it must say the same of a head in one piece and
// byte by byte, keep to its limits, and hand out views that lie inside what it was given.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "exporter/http/http_head.h"

namespace {

using spire_exporter::DecodePath;
using spire_exporter::DecodeQueryPart;
using spire_exporter::HeadLimits;
using spire_exporter::HeadScan;
using spire_exporter::HeadScanner;

void Require(bool holds) {
  if (!holds) std::abort();
}

bool Inside(std::string_view part, std::string_view whole) {
  // A bare authority's path is a literal of the scanner's own.
  return part == "/" || part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void CheckComplete(const HeadScan& scan, std::string_view bytes, const HeadLimits& limits) {
  Require(scan.head_bytes <= bytes.size() && scan.head_bytes <= limits.head_bytes);
  const std::string_view head = bytes.substr(0, scan.head_bytes);
  Require(Inside(scan.head.method, head) && Inside(scan.head.target, head));
  Require(Inside(scan.head.fields, head));
  Require(!scan.head.method.empty() && !scan.head.target.empty());
  Require(scan.head.target.size() <= limits.target_bytes);
  Require(scan.head.body_bytes <= limits.body_bytes);
  Require(head.find('\0') == std::string_view::npos);
  std::string path;
  if (DecodePath(scan.head.target, &path)) {
    Require(path.size() <= limits.path_bytes);
    for (const char c : path) Require(static_cast<unsigned char>(c) >= ' ');
  }
  Require(DecodeQueryPart(scan.head.target).size() <= scan.head.target.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  HeadLimits limits;
  // Small enough for a fuzzer to meet them.
  limits.head_bytes = 512;
  limits.target_bytes = 128;
  limits.path_bytes = 64;
  limits.fields = 8;

  const HeadScan whole = HeadScanner(limits).Scan(bytes);
  if (whole.state == HeadScan::State::kComplete) CheckComplete(whole, bytes, limits);
  Require((whole.state == HeadScan::State::kRefused) == (whole.status >= 400));

  HeadScanner scanner(limits);
  HeadScan last;
  for (size_t i = 1; i <= size && last.state == HeadScan::State::kIncomplete; ++i) {
    last = scanner.Scan(bytes.substr(0, i));
  }
  // Pieces may be refused for another reason, and before a head that is whole would be; never the
  // other way round, and what is complete is the same.
  if (whole.state == HeadScan::State::kComplete) {
    Require(last.state == HeadScan::State::kComplete && last.head_bytes == whole.head_bytes);
    Require(last.head.method == whole.head.method && last.head.target == whole.head.target);
  } else {
    Require(last.state == whole.state);
  }
  return 0;
}
