// What a second writer costs the first one, each with a histogram of its own: the time of an
// observation to each writer, while both write all the time. By the clock on the wall, which a busy
// machine lengthens, and by the processor's time of the thread, in which only what the writers do
// to each other shows.
#include <time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <thread>
#include <vector>

#include "exporter/metrics/histogram.h"
#include "tests/bench/samples.h"

namespace spire_exporter::bench {
namespace {

constexpr int kRounds = 25;
constexpr size_t kBatch = 1024;
constexpr auto kWindow = std::chrono::milliseconds(40);

struct Cost {
  double wall_ns = 0;
  double processor_ns = 0;
};

double ProcessorNs() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

// Of one writer until the window ends; the first one to see it end tells the others, so that nobody
// writes alone for longer than a batch takes.
Cost Write(NativeHistogram& histogram, const std::vector<double>& samples, std::barrier<>& together,
           std::atomic<bool>& ended) {
  together.arrive_and_wait();
  const auto start = std::chrono::steady_clock::now();
  const double processor = ProcessorNs();
  size_t observed = 0;
  auto now = start;
  // relaxed: says when, and hands nothing over.
  while (!ended.load(std::memory_order_relaxed)) {
    for (size_t i = 0; i < kBatch; ++i) histogram.Observe(samples[(observed + i) % kSamples]);
    observed += kBatch;
    now = std::chrono::steady_clock::now();
    if (now - start >= kWindow) ended.store(true, std::memory_order_relaxed);
  }
  const std::chrono::duration<double, std::nano> took = now - start;
  const auto count = static_cast<double>(observed);
  return {took.count() / count, (ProcessorNs() - processor) / count};
}

// The slowest writer's.
Cost Together(size_t writers, const std::vector<double>& samples) {
  std::barrier<> together(static_cast<std::ptrdiff_t>(writers));
  std::atomic<bool> ended{false};
  std::vector<Cost> costs(writers);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < writers; ++i) {
    threads.emplace_back([&, i] {
      NativeHistogram histogram(Layout(3, TwelveBounds()));
      costs[i] = Write(histogram, samples, together, ended);
    });
  }
  for (std::thread& thread : threads) thread.join();
  Cost slowest;
  for (const Cost& cost : costs) {
    slowest.wall_ns = std::max(slowest.wall_ns, cost.wall_ns);
    slowest.processor_ns = std::max(slowest.processor_ns, cost.processor_ns);
  }
  return slowest;
}

}  // namespace
}  // namespace spire_exporter::bench

int main() {
  using namespace spire_exporter::bench;
  const std::vector<double> samples = LatencySamples();
  std::array<std::vector<double>, 2> wall;
  std::array<std::vector<double>, 2> processor;
  for (int round = 0; round < kRounds; ++round) {
    for (size_t writers = 1; writers <= 2; ++writers) {
      const Cost cost = Together(writers, samples);
      wall[writers - 1].push_back(cost.wall_ns);
      processor[writers - 1].push_back(cost.processor_ns);
    }
  }
  std::puts("an observation, native and 12 classic, to the slower writer; goal of two <= 1.15x");
  std::printf("  %-34s %10s %10s %12s %8s\n", "", "one, ns", "two, ns", "two, median", "ratio");
  const auto print = [](const char* name, std::array<std::vector<double>, 2>& all) {
    for (std::vector<double>& one : all) std::sort(one.begin(), one.end());
    std::printf("  %-34s %10.2f %10.2f %12.2f %8.3f\n", name, all[0].front(), all[1].front(),
                all[1][all[1].size() / 2], all[1].front() / all[0].front());
  };
  print("by the clock on the wall", wall);
  print("by the processor's time", processor);
  return 0;
}
