#include "collectors/clients/spire/wire_bounds.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <string>

namespace spire_exporter::spire {

Status CheckBounds(std::string_view what, std::string_view message, size_t bytes_max,
                   size_t elements_max) {
  using google::protobuf::internal::WireFormatLite;
  const auto too_much = [&](std::string_view of) {
    return Error{Code::kResourceExhausted,
                 std::string(what) + " of more " + std::string(of) + " than are read", "", false};
  };
  if (message.size() > bytes_max) return too_much("bytes");
  google::protobuf::io::CodedInputStream input(reinterpret_cast<const uint8_t*>(message.data()),
                                               static_cast<int>(message.size()));
  size_t elements = 0;
  while (const uint32_t tag = input.ReadTag()) {
    // What cannot be skipped cannot be parsed either, and is reported there.
    if (!WireFormatLite::SkipField(&input, tag)) break;
    if (WireFormatLite::GetTagWireType(tag) == WireFormatLite::WIRETYPE_LENGTH_DELIMITED &&
        ++elements > elements_max) {
      return too_much("elements");
    }
  }
  return {};
}

}  // namespace spire_exporter::spire
