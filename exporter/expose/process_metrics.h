// The metrics of the process itself: what its HTTP server did, what pages it could not show whole,
// its configuration's last reload, and what the kernel says of it.
#ifndef EXPORTER_EXPOSE_PROCESS_METRICS_H_
#define EXPORTER_EXPOSE_PROCESS_METRICS_H_

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "exporter/base/clock.h"
#include "exporter/expose/page.h"
#include "exporter/metrics/description.h"
#include "exporter/metrics/family.h"

namespace spire_exporter {

// Every family that ProcessMetrics can emit: the reference is made from these, and nothing else
// comes out.
std::span<const FamilyDescription* const> ProcessFamilies();

// What the HTTP server counts by itself, each number since start or as of now.
struct ServerFigures {
  enum State { kWaiting, kQueued, kRunning, kWriting, kStates };
  enum Reason {
    kEvictedForPeer,
    kEvictedForTotal,
    kEvictedForBytes,
    kRefused,
    kRequestTimeout,
    kIdleTimeout,
    kWriteTimeout,
    kMalformed,
    kTooLarge,
    kTooManyRequests,
    kTlsFailed,
    kTlsTimeout,
    kDenied,
    kReasons
  };
  uint64_t accepted = 0;                        // connections since start
  std::array<uint64_t, kStates> connections{};  // open now
  std::array<uint64_t, kReasons> rejections{};  // connections and requests turned away since start
  uint64_t unsent_bytes = 0;
};

struct ProcessMetricsOptions {
  std::string version;
  std::string revision;
  std::string proc_root = "/proc";  // another in tests
};

// Counters live in a prometheus::Registry. Safe from any thread; counting costs a look-up of about
// half a microsecond.
class ProcessMetrics {
 public:
  // `clock` outlives this. Reads /proc/stat once.
  ProcessMetrics(ProcessMetricsOptions options, const Clock& clock);
  ~ProcessMetrics();
  ProcessMetrics(const ProcessMetrics&) = delete;
  ProcessMetrics& operator=(const ProcessMetrics&) = delete;

  // A request has been answered. `handler` is one of those that the description lists, else it
  // counts as `other`, as does a status that no handler or server of ours answers with. `duration`
  // is taken for the handler `metrics`.
  void CountRequest(std::string_view handler, int status, Duration duration, uint64_t body_bytes);
  // A page has been shown, perhaps not whole.
  void CountPage(const PageReport& report);
  // A configuration has been put to use, or has been found bad and the one before stays.
  void SetReload(bool successful);
  // Asked at every Take(), from its thread; empty to forget the server before it is gone. Until
  // then its families are absent.
  void SetServer(std::function<ServerFigures()> figures);

  // Now, for a scrape.
  std::shared_ptr<const Snapshot> Take() const;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace spire_exporter

#endif  // EXPORTER_EXPOSE_PROCESS_METRICS_H_
