#include "collectors/telemetry/capture_file.h"

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace spire_exporter::telemetry {

std::vector<CapturedDatagram> ReadCapture(const std::string& name) {
  std::ifstream file(std::string(HOUSE_TESTDATA) + "/captures/" + name, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::vector<CapturedDatagram> datagrams;
  constexpr size_t kHead = sizeof(double) + sizeof(uint32_t);
  for (size_t at = 0; at + kHead <= bytes.size();) {
    CapturedDatagram datagram;
    uint32_t size = 0;
    std::memcpy(&datagram.seconds, bytes.data() + at, sizeof(double));
    std::memcpy(&size, bytes.data() + at + sizeof(double), sizeof(size));
    at += kHead;
    if (size > bytes.size() - at) throw std::runtime_error("torn capture " + name);
    datagram.bytes = bytes.substr(at, size);
    at += size;
    datagrams.push_back(std::move(datagram));
  }
  if (datagrams.empty()) throw std::runtime_error("no capture " + name);
  return datagrams;
}

}  // namespace spire_exporter::telemetry
