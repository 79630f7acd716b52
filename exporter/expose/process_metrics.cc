#include "exporter/expose/process_metrics.h"

#include <prometheus/counter.h>
#include <prometheus/registry.h>

#include <algorithm>
#include <utility>

#include "exporter/base/mutex.h"
#include "exporter/expose/proc_files.h"
#include "exporter/expose/process_families.h"
#include "exporter/expose/prometheus_bridge.h"
#include "exporter/metrics/histogram.h"

namespace spire_exporter {
namespace {

namespace families = process_families;
using CounterFamily = prometheus::Family<prometheus::Counter>;

CounterFamily& Build(prometheus::Registry& registry, const FamilyDescription& description) {
  return prometheus::BuildCounter()
      .Name(std::string(description.name))
      .Help(std::string(description.help))
      .Register(registry);
}

// The bounds of a scrape: what is usual, what is promised at the 99th percentile, and what is an
// outage.
std::shared_ptr<const HistogramLayout> ScrapeLayout() {
  constexpr int kSchema = 3;
  return HistogramLayout::Make(kSchema, {0.001, 0.005, 0.02, 0.1, 1}).value();
}

template <size_t n>
std::string_view OneOf(const std::array<std::string_view, n>& names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? families::kOther : *found;
}

void AddIfKnown(FamilyBuilder& builder, const FamilyDescription& description,
                std::optional<double> value) {
  if (value) builder.Add(description, {}, *value);
}

void AddKernel(FamilyBuilder& builder, const ProcessFigures& figures) {
  if (figures.cpu_seconds) {
    builder.Add(families::kCpuSeconds, {}, *figures.cpu_seconds,
                figures.start_time_seconds.value_or(0));
  }
  AddIfKnown(builder, families::kMaxFds, figures.max_fds);
  AddIfKnown(builder, families::kOpenFds, figures.open_fds);
  AddIfKnown(builder, families::kResidentBytes, figures.resident_bytes);
  AddIfKnown(builder, families::kStartTime, figures.start_time_seconds);
  AddIfKnown(builder, families::kThreads, figures.threads);
  AddIfKnown(builder, families::kVirtualBytes, figures.virtual_bytes);
}

void AddServer(FamilyBuilder& builder, const ServerFigures& figures, double since) {
  for (size_t i = 0; i < families::kStates.size(); ++i) {
    builder.Add(families::kConnections, {families::kStates[i]},
                static_cast<double>(figures.connections[i]));
  }
  builder.Add(families::kConnectionsAccepted, {}, static_cast<double>(figures.accepted), since);
  for (size_t i = 0; i < families::kReasons.size(); ++i) {
    builder.Add(families::kRejections, {families::kReasons[i]},
                static_cast<double>(figures.rejections[i]), since);
  }
  builder.Add(families::kUnsentBytes, {}, static_cast<double>(figures.unsent_bytes));
}

}  // namespace

struct ProcessMetrics::State {
  State(ProcessMetricsOptions given, const Clock& the_clock)
      : options(std::move(given)),
        clock(the_clock),
        since(UnixSeconds(the_clock.System())),
        registry(std::make_shared<prometheus::Registry>()),
        bridge(registry, ProcessFamilies(), Undescribed::kLeftOut),
        requests(Build(*registry, families::kRequests)),
        response_bytes(Build(*registry, families::kResponseBytes).Add({})),
        page_left_out(Build(*registry, families::kPageLeftOut)),
        proc(options.proc_root),
        scrapes(ScrapeLayout()) {}

  const ProcessMetricsOptions options;
  const Clock& clock;
  const double since;
  const std::shared_ptr<prometheus::Registry> registry;
  const PrometheusBridge bridge;
  CounterFamily& requests;
  prometheus::Counter& response_bytes;
  CounterFamily& page_left_out;
  const ProcFiles proc;

  Mutex mutex;
  NativeHistogram scrapes GUARDED_BY(mutex);
  std::optional<bool> reload_successful GUARDED_BY(mutex);
  std::optional<double> reload_seconds GUARDED_BY(mutex);
  // Apart from the other: held while the server is asked, and a server may count a request while it
  // holds a lock of its own that the answer needs too.
  Mutex server_mutex;
  std::function<ServerFigures()> server GUARDED_BY(server_mutex);
};

ProcessMetrics::ProcessMetrics(ProcessMetricsOptions options, const Clock& clock)
    : state_(std::make_unique<State>(std::move(options), clock)) {
  // Good and bad start at zero, so that the first of either is an increase.
  for (const std::string_view code : {"200", "500", "503"}) {
    state_->requests.Add(
        {{"handler", std::string(families::kMetricsHandler)}, {"code", std::string(code)}});
  }
  CountPage(PageReport{});
}

ProcessMetrics::~ProcessMetrics() = default;

void ProcessMetrics::CountRequest(std::string_view handler, int status, Duration duration,
                                  uint64_t body_bytes) {
  const std::string_view known_handler = OneOf(families::kHandlers, handler);
  const std::string_view known_code = OneOf(families::kCodes, std::to_string(status));
  state_->requests.Add({{"handler", std::string(known_handler)}, {"code", std::string(known_code)}})
      .Increment();
  state_->response_bytes.Increment(static_cast<double>(body_bytes));
  if (known_handler != families::kMetricsHandler) return;
  const MutexLock lock(state_->mutex);
  state_->scrapes.Observe(Seconds(duration));
}

void ProcessMetrics::CountPage(const PageReport& report) {
  const std::array<size_t, families::kPageProblems.size()> counts = {
      report.duplicate_series, report.type_conflicts, report.name_clashes, report.malformed_series};
  for (size_t i = 0; i < counts.size(); ++i) {
    state_->page_left_out.Add({{"reason", std::string(families::kPageProblems[i])}})
        .Increment(static_cast<double>(counts[i]));
  }
}

void ProcessMetrics::SetReload(bool successful) {
  const double now = UnixSeconds(state_->clock.System());
  const MutexLock lock(state_->mutex);
  state_->reload_successful = successful;
  if (successful) state_->reload_seconds = now;
}

void ProcessMetrics::SetServer(std::function<ServerFigures()> figures) {
  const MutexLock lock(state_->server_mutex);
  state_->server = std::move(figures);
}

std::shared_ptr<const Snapshot> ProcessMetrics::Take() const {
  FamilyBuilder builder;
  builder.AddInfo(families::kBuildInfo, {state_->options.revision, state_->options.version});
  {
    const MutexLock lock(state_->mutex);
    if (state_->reload_successful) {
      builder.Add(families::kReloadSuccessful, {}, *state_->reload_successful ? 1 : 0);
    }
    AddIfKnown(builder, families::kReloadTimestamp, state_->reload_seconds);
    builder.Add(families::kScrapeDuration, {}, state_->scrapes.Snapshot(), state_->since);
  }
  {
    // For as long as the server is asked, so that it is asked no more once SetServer({}) is back.
    const MutexLock lock(state_->server_mutex);
    if (state_->server) AddServer(builder, state_->server(), state_->since);
  }
  AddKernel(builder, state_->proc.Read());
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->taken = state_->clock.System();
  snapshot->families = builder.Take();
  // A Registry does not throw when it is collected; were it to, the rest is worth showing.
  const auto counted = state_->bridge.Take(snapshot->taken);
  if (!counted) return snapshot;
  for (Family family : counted->snapshot->families) {
    for (Series& series : family.series) series.created_seconds = state_->since;
    snapshot->families.push_back(std::move(family));
  }
  return snapshot;
}

}  // namespace spire_exporter
