// How long a line of the stream takes: parsed, looked up and observed, in random order over some
// 300 series. Beside it what can be had at the least: reading every byte once.
#include "collectors/telemetry/line_bench.h"

#include <cstdint>
#include <cstdio>
#include <string>

#include "tests/bench/operations.h"
#include "tests/bench/rounds.h"

int main() {
  using namespace spire_exporter;
  using namespace spire_exporter::bench;
  // As many as fit in a second level cache, as what a receiver has just been handed does.
  constexpr size_t kLines = 2000;
  telemetry::LineBench bench(kLines, 1432, 1);
  const auto scan = [&bench] {
    uint64_t feeds = 0;
    for (const std::string& datagram : bench.datagrams()) {
      for (const char c : datagram) feeds += static_cast<uint64_t>(c == '\n');
    }
    Keep(static_cast<double>(feeds));
  };
  const auto items = static_cast<double>(kLines);
  CompareInRounds("a line of the stream, goal <= 35 ns",
                  {{"counting line feeds byte by byte", scan, items},
                   {"parse, look up and observe", [&bench] { bench.Run(); }, items}},
                  0, 41);
  if (bench.rejected() == 0) return 0;
  std::puts("lines were rejected: the times mean nothing");
  return 1;
}
