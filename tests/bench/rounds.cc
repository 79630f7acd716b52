#include "tests/bench/rounds.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace spire_exporter::bench {
namespace {

double NanosecondsOf(const std::function<void()>& run, int times) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < times; ++i) run();
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
  return took.count() / times;
}

}  // namespace

void CompareInRounds(const std::string& title, const std::vector<Contestant>& contestants,
                     size_t base, int rounds) {
  constexpr double kLeastRound = 3e6;
  std::vector<int> times;
  std::vector<std::vector<double>> all(contestants.size());
  for (const Contestant& one : contestants) {
    const double once =
        std::max(1.0, std::min(NanosecondsOf(one.run, 1), NanosecondsOf(one.run, 1)));
    times.push_back(static_cast<int>(std::clamp(kLeastRound / once, 1.0, 1e6)));
  }
  for (int round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < contestants.size(); ++i) {
      all[i].push_back(NanosecondsOf(contestants[i].run, times[i]) / contestants[i].items);
    }
  }
  for (std::vector<double>& one : all) std::sort(one.begin(), one.end());
  std::printf("%s\n  %-44s %12s %12s %8s\n", title.c_str(), "", "least ns", "median ns", "ratio");
  for (size_t i = 0; i < contestants.size(); ++i) {
    std::printf("  %-44s %12.1f %12.1f %8.3f\n", contestants[i].name.c_str(), all[i].front(),
                all[i][all[i].size() / 2], all[i].front() / all[base].front());
  }
}

}  // namespace spire_exporter::bench
