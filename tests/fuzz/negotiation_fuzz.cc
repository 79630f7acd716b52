// Accept and Accept-Encoding come from anybody: whatever they hold, there is an answer, it is the
// same the second time, and it is nothing that the header does not speak of.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "exporter/expose/negotiation.h"

namespace {

using spire_exporter::ChooseCoding;
using spire_exporter::ChooseFormat;
using spire_exporter::Coding;
using spire_exporter::Format;

void Demand(bool good) {
  if (!good) std::abort();
}

bool Holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string header(data, data + size);
  const Format format = ChooseFormat(header);
  Demand(format == ChooseFormat(header));
  const Coding coding = ChooseCoding(header);
  Demand(coding == ChooseCoding(header));

  // Letters may be of either case, and nothing changes.
  std::transform(header.begin(), header.end(), header.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  Demand(format == ChooseFormat(header));
  Demand(coding == ChooseCoding(header));

  if (format == Format::kOpenMetrics) {
    Demand(Holds(header, "application/") || Holds(header, "*"));
  }
  // Backslashes may part what is in quotes.
  if (format == Format::kProtobuf) {
    Demand(Holds(header, "application/vnd.google.protobuf") && Holds(header, "proto") &&
           Holds(header, "encoding"));
  }
  if (coding == Coding::kGzip) Demand(Holds(header, "gzip") || Holds(header, "*"));
  return 0;
}
