// Fuzzes what looks at the frames of a gRPC server: however they are cut, it says the same.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "collectors/clients/spire/message_guard.h"

using spire_exporter::spire::MessageGuard;

namespace {

bool PassInPieces(MessageGuard* guard, std::string_view bytes, size_t piece) {
  while (!bytes.empty()) {
    const size_t part = std::min(piece, bytes.size());
    if (!guard->Pass(bytes.substr(0, part))) return false;
    bytes.remove_prefix(part);
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  MessageGuard whole(4096), slow(4096);
  const bool passes = whole.Pass(bytes);
  if (passes != PassInPieces(&slow, bytes, 1) || whole.http2() != slow.http2()) std::abort();
  return 0;
}
