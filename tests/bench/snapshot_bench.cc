// What snapshots cost the thread that takes in the stream, which does nothing else here: for how
// long each holds it up, and its CPU time a line with one every 10 ms against none. Its half of a
// snapshot is Store::Freeze(); the other half is another thread's, as in the product.
//
// usage: snapshot_bench [ROUNDS]
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "collectors/telemetry/frozen_store.h"
#include "collectors/telemetry/store.h"
#include "exporter/base/clock.h"

namespace spire_exporter::bench {
namespace {

using telemetry::FrozenStore;
using telemetry::SnapshotMaker;
using telemetry::Store;

constexpr Duration kEvery = std::chrono::milliseconds(10);
constexpr Duration kRound = std::chrono::milliseconds(500);
constexpr size_t kDatagramMax = 8192;

// Timers of `calls` calls with ten statuses each, in random order, as SPIRE writes them.
std::vector<std::string> Datagrams(int calls, int lines) {
  constexpr const char* kStatuses[] = {"OK",       "Canceled",      "Unknown",          "Internal",
                                       "NotFound", "AlreadyExists", "PermissionDenied", "Aborted",
                                       "DataLoss", "Unavailable"};
  std::mt19937_64 random(1);
  std::lognormal_distribution<double> milliseconds(1.0, 1.5);
  std::vector<std::string> datagrams(1);
  for (int i = 0; i < lines; ++i) {
    char line[200];
    std::snprintf(line, sizeof(line),
                  "spire_server.rpc.service.v1.service.call_%d.elapsed_time:%.6f|ms|#status:%s,"
                  "host:spire-server-0\n",
                  static_cast<int>(random() % static_cast<uint64_t>(calls)), milliseconds(random),
                  kStatuses[random() % std::size(kStatuses)]);
    if (datagrams.back().size() + std::string_view(line).size() > kDatagramMax) {
      datagrams.emplace_back();
    }
    datagrams.back() += line;
  }
  return datagrams;
}

double ThreadCpuNs() {
  timespec now = {};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

class Bench {
 public:
  Bench(int calls, int lines) : datagrams_(Datagrams(calls, lines)) {
    for (int turn = 0; turn < 3; ++turn) FeedAll();
    maker_thread_ = std::thread([this] { Make(); });
  }
  ~Bench() {
    state_.store(kStop, std::memory_order_release);
    state_.notify_all();
    maker_thread_.join();
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  size_t series() const { return store_.State().series; }
  uint64_t rejected() const { return counts_.rejected(); }

  // How long snapshots hold the writer up when all series have changed, in us, rising.
  std::vector<double> Pauses() {
    std::vector<double> pauses;
    for (int i = 0; i < 51; ++i) {
      FeedAll();
      Await();
      const SteadyTime before = real_.Steady();
      Freeze(clock_.Steady());
      pauses.push_back(Seconds(real_.Steady() - before) * 1e6);
      HandOver();
    }
    std::sort(pauses.begin(), pauses.end());
    return pauses;
  }

  // CPU time of the writer a line.
  double NsPerLine(bool snapshots) {
    const uint64_t lines = counts_.lines();
    const double before = ThreadCpuNs();
    const SteadyTime end = real_.Steady() + kRound;
    SteadyTime due = real_.Steady() + kEvery;
    for (SteadyTime now = real_.Steady(); now < end;) {
      for (const std::string& datagram : datagrams_) {
        store_.Feed(datagram, false, {now, now}, &counts_);
        now = real_.Steady();
        if (!snapshots || now < due || state_.load(std::memory_order_acquire) != kFree) continue;
        due = now + kEvery;
        Freeze(now);
        HandOver();
        ++taken_;
      }
    }
    return (ThreadCpuNs() - before) / static_cast<double>(counts_.lines() - lines);
  }
  int taken() const { return taken_; }

 private:
  // As Ingest does it, with one listener.
  void Freeze(SteadyTime now) {
    store_.Freeze(now, &frozen_);
    told_counts_ = counts_;
  }

  enum State { kFree, kFrozen, kStop };

  void FeedAll() {
    for (const std::string& datagram : datagrams_) {
      store_.Feed(datagram, false, {clock_.Steady(), clock_.Steady()}, &counts_);
    }
  }
  void HandOver() {
    state_.store(kFrozen, std::memory_order_release);
    state_.notify_all();
  }
  void Await() { state_.wait(kFrozen, std::memory_order_acquire); }
  void Make() {
    SnapshotMaker maker;
    for (;;) {
      state_.wait(kFree, std::memory_order_acquire);
      if (state_.load(std::memory_order_acquire) == kStop) return;
      FamilyList families;
      maker.Append(frozen_, &families);
      State frozen = kFrozen;
      state_.compare_exchange_strong(frozen, kFree, std::memory_order_acq_rel);
      state_.notify_all();
    }
  }

  const RealClock real_;
  ManualClock clock_;
  Store store_{telemetry::StoreOptions{}, clock_};
  telemetry::ListenerCounts counts_;
  const std::vector<std::string> datagrams_;
  FrozenStore frozen_;
  telemetry::ListenerCounts told_counts_;
  std::atomic<State> state_{kFree};  // whose frozen_ is: of the writer when it is free
  int taken_ = 0;
  std::thread maker_thread_;
};

void Compare(int calls, int rounds) {
  Bench bench(calls, calls * 200);
  const std::vector<double> pauses = bench.Pauses();
  std::vector<double> without;
  std::vector<double> with;
  for (int round = 0; round < rounds; ++round) {
    without.push_back(bench.NsPerLine(false));
    with.push_back(bench.NsPerLine(true));
  }
  std::sort(without.begin(), without.end());
  std::sort(with.begin(), with.end());
  const auto series = static_cast<double>(bench.series());
  std::printf(
      "%4.0f histograms: pause a 1,000 of them %5.1f us (median %.1f); %5.2f ns a line, %5.2f with "
      "a snapshot every 10 ms: %+.1f %% (medians %+.1f %%); %d snapshots, %lu lines rejected\n",
      series, pauses.front() / series * 1000, pauses[pauses.size() / 2] / series * 1000,
      without.front(), with.front(), (with.front() / without.front() - 1) * 100,
      (with[with.size() / 2] / without[without.size() / 2] - 1) * 100, bench.taken(),
      static_cast<unsigned long>(bench.rejected()));
}

}  // namespace
}  // namespace spire_exporter::bench

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 9;
  // A family of calls that the mapping does not know has 500 series at the most.
  for (const int calls : {5, 15, 50}) spire_exporter::bench::Compare(calls, rounds);
  return 0;
}
