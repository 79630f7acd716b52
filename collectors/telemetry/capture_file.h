// Recorded datagrams for tests. A capture repeats: seconds since its start (little-endian double),
// length (little-endian 32 bits), that many bytes of one datagram.
#ifndef COLLECTORS_TELEMETRY_CAPTURE_FILE_H_
#define COLLECTORS_TELEMETRY_CAPTURE_FILE_H_

#include <string>
#include <vector>

namespace spire_exporter::telemetry {

struct CapturedDatagram {
  double seconds = 0;
  std::string bytes;
};

// `name` below tests/testdata/captures: `1.15.3/server.udp.cap`. Throws when it cannot be read, so
// that a test without its data fails.
std::vector<CapturedDatagram> ReadCapture(const std::string& name);

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_CAPTURE_FILE_H_
