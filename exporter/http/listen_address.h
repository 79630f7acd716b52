// The text of a listen address, as `--web.listen-address` takes it.
#ifndef EXPORTER_HTTP_LISTEN_ADDRESS_H_
#define EXPORTER_HTTP_LISTEN_ADDRESS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "exporter/base/result.h"

namespace spire_exporter {

struct ListenAddress {
  enum class Kind { kTcp, kUnix };
  Kind kind = Kind::kTcp;
  std::string host;  // kTcp: a name or an address without brackets; empty: every address, v4 and v6
  uint16_t port = 0;  // kTcp: zero takes a free one
  std::string path;   // kUnix: absolute

  // As it would be written on the command line.
  std::string ToString() const;
};

// Understands `host:port`, `:port`, `[v6]:port` and `unix:PATH`. A bare port, a v6 address without
// brackets, a relative path, and a path too long for the kernel (107 bytes) are errors that say so.
Result<ListenAddress> ParseListenAddress(std::string_view text);

}  // namespace spire_exporter

#endif  // EXPORTER_HTTP_LISTEN_ADDRESS_H_
