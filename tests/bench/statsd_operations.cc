#include "collectors/telemetry/line_bench.h"
#include "tests/bench/operations.h"

namespace spire_exporter::bench {
namespace {

// A multiple of it is what instructions.py asks for.
constexpr uint64_t kLines = 2000;

// Parse, look up and observe, random order over some 300 series, in datagrams as SPIRE's client
// fills them for UDP.
void StatsdLine(uint64_t n) {
  telemetry::LineBench bench(kLines, 1432, 1);
  for (uint64_t done = 0; done + kLines <= n; done += kLines) bench.Run();
  Keep(static_cast<double>(bench.rejected()));
}

}  // namespace

std::vector<Operation> StatsdOperations() {
  return {{"statsd_line", "", 270, &StatsdLine}};
}

}  // namespace spire_exporter::bench
