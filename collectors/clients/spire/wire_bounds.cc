#include "collectors/clients/spire/wire_bounds.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <string>

namespace spire_exporter::spire {
namespace {

using google::protobuf::internal::WireFormatLite;

// Calls `take` with each element of a length of its own, until that is false. What cannot be
// skipped cannot be parsed either, and is reported there.
template <typename Take>
void ForEachElement(std::string_view message, Take take) {
  google::protobuf::io::CodedInputStream input(reinterpret_cast<const uint8_t*>(message.data()),
                                               static_cast<int>(message.size()));
  while (const uint32_t tag = input.ReadTag()) {
    if (WireFormatLite::GetTagWireType(tag) != WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
      if (!WireFormatLite::SkipField(&input, tag)) return;
      continue;
    }
    uint32_t size = 0;
    if (!input.ReadVarint32(&size)) return;
    const auto at = static_cast<size_t>(input.CurrentPosition());
    if (size > message.size() - at || !input.Skip(static_cast<int>(size))) return;
    if (!take(message.substr(at, size))) return;
  }
}

// Counts no further than one more.
bool HasMore(std::string_view message, size_t elements_max) {
  size_t elements = 0;
  ForEachElement(message, [&](std::string_view) { return ++elements <= elements_max; });
  return elements > elements_max;
}

Error TooMuch(std::string_view what, std::string_view of) {
  return {Code::kResourceExhausted,
          std::string(what) + " of more " + std::string(of) + " than are read", "", false};
}

}  // namespace

Status CheckBounds(std::string_view what, std::string_view message, size_t bytes_max,
                   size_t elements_max) {
  if (message.size() > bytes_max) return TooMuch(what, "bytes");
  if (HasMore(message, elements_max)) return TooMuch(what, "elements");
  return {};
}

Status CheckNestedBounds(std::string_view what, std::string_view message, size_t elements_max) {
  bool more = false;
  ForEachElement(message, [&](std::string_view element) {
    more = HasMore(element, elements_max);
    return !more;
  });
  if (more) return TooMuch(what, "elements");
  return {};
}

}  // namespace spire_exporter::spire
