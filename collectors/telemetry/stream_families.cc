#include "collectors/telemetry/stream_families.h"

#include <iterator>
#include <utility>

#include "collectors/telemetry/families.h"
#include "collectors/telemetry/ledger.h"
#include "collectors/telemetry/line.h"

namespace spire_exporter::telemetry {
namespace {

constexpr uint32_t kListenersBound = 16;
constexpr std::string_view kFrom = "DogStatsD stream";
constexpr std::string_view kOwn = "this process";

constexpr std::string_view kStates[] = {"waiting", "balanced", "missing", "unprovable"};
constexpr std::string_view kDropReasons[] = {"queue", "writer"};
constexpr std::string_view kSources[] = {"stream", "scrape"};
constexpr std::string_view kWitnesses[] = {"timer", "counter", "stream", "scrape"};
constexpr std::string_view kReasons[] = {"malformed",     "empty_name",   "invalid_value",
                                         "refused_value", "invalid_rate", "unsupported_type",
                                         "invalid_utf8",  "too_long",     "series_limit",
                                         "truncated",     "event",        "service_check"};
static_assert(std::size(kReasons) + 1 == kRejectCount);

constexpr LabelDescription kListener{"listener", "The configured address."};
constexpr LabelDescription kListenerOnly[] = {kListener};
constexpr LabelDescription kListenerReason[] = {
    kListener, {"reason", "Why the line was not taken.", kReasons}};
constexpr LabelDescription kListenerDrop[] = {
    kListener,
    {"reason", "queue: the client's queue was full; writer: the write failed.", kDropReasons}};
constexpr LabelDescription kListenerState[] = {
    kListener, {"state", "What the live clients' reports prove.", kStates}};
constexpr LabelDescription kSourceOnly[] = {
    {"source", "Where SPIRE's telemetry came from.", kSources}};
constexpr LabelDescription kWitnessOnly[] = {{"witness",
                                              "timer and counter: lines of calls that both tell; "
                                              "stream and scrape: events between two pages "
                                              "that the stream covered.",
                                              kWitnesses}};

constexpr std::string_view kPlacements[] = {"exact", "estimated", "unplaced"};
static_assert(std::size(kPlacements) == kPlacementCount);
constexpr LabelDescription kPlacementOnly[] = {
    {"placement",
     "exact: the very value; estimated: spread along the summary's quantiles; unplaced: in count "
     "and sum alone.",
     kPlacements}};

constexpr FamilyDescription Make(std::string_view name, MetricType type,
                                 std::span<const LabelDescription> labels, std::string_view help,
                                 std::string_view source, uint32_t series_max,
                                 std::string_view unit = {}) {
  FamilyDescription family;
  family.name = name;
  family.type = type;
  family.unit = unit;
  family.labels = labels;
  family.help = help;
  family.source = source;
  family.series_max = series_max;
  return family;
}

constexpr FamilyDescription kDatagrams =
    Make("spire_exporter_statsd_datagrams_total", MetricType::kCounter, kListenerOnly,
         "Datagrams received.", kFrom, kListenersBound);
constexpr FamilyDescription kLines =
    Make("spire_exporter_statsd_lines_total", MetricType::kCounter, kListenerOnly,
         "Lines received: non-empty runs of bytes between line feeds, accepted or rejected, the "
         "client's own telemetry included.",
         kFrom, kListenersBound);
constexpr FamilyDescription kRejected =
    Make("spire_exporter_statsd_rejected_lines_total", MetricType::kCounter, kListenerReason,
         "Lines that were received and not taken.", kFrom, kListenersBound* kRejectCount);
constexpr FamilyDescription kKernelDropped =
    Make("spire_exporter_statsd_kernel_dropped_datagrams_total", MetricType::kCounter,
         kListenerOnly, "Datagrams that the kernel dropped at a full or unfit socket buffer.",
         "SO_MEMINFO of the sockets", kListenersBound);
constexpr FamilyDescription kTruncated =
    Make("spire_exporter_statsd_truncated_datagrams_total", MetricType::kCounter, kListenerOnly,
         "Datagrams longer than 64 KiB, of which the rest is lost.", kFrom, kListenersBound);
constexpr FamilyDescription kClientSent =
    Make("spire_exporter_statsd_client_sent_metrics_total", MetricType::kCounter, kListenerOnly,
         "Lines that SPIRE's clients reported to have been handed.", kFrom, kListenersBound);
constexpr FamilyDescription kClientDropped =
    Make("spire_exporter_statsd_client_dropped_packets_total", MetricType::kCounter, kListenerDrop,
         "Datagrams that SPIRE's clients reported to have dropped.", kFrom, kListenersBound * 2);
constexpr FamilyDescription kMissing =
    Make("spire_exporter_statsd_missing_lines", MetricType::kGauge, kListenerOnly,
         "Lines that were handed to SPIRE's clients and never came, since this process started; "
         "known to within a dozen after two reports of a client, and absent until then.",
         kFrom, kListenersBound);
constexpr FamilyDescription kUnprovable = Make(
    "spire_exporter_statsd_unprovable_lines_total", MetricType::kCounter, kListenerOnly,
    "Received lines that no report of a client vouches for: the last seconds of a process that "
    "is gone, and everything from clients that do not report (SPIRE 1.7 and 1.8).",
    kFrom, kListenersBound);
constexpr FamilyDescription kLedger = Make(
    "spire_exporter_statsd_ledger_state", MetricType::kStateSet, kListenerState,
    "What is known of lost lines of the clients that are there now.", kFrom, kListenersBound * 4);
constexpr FamilyDescription kClients =
    Make("spire_exporter_statsd_clients", MetricType::kGauge, kListenerOnly,
         "Processes of SPIRE whose heartbeat comes by this listener.", kFrom, kListenersBound);
constexpr FamilyDescription kListenerUp =
    Make("spire_exporter_statsd_listener_up", MetricType::kGauge, kListenerOnly,
         "Whether SPIRE can reach the listener: bound, and its socket file in place.", kOwn,
         kListenersBound);
constexpr FamilyDescription kSourceUp =
    Make("spire_exporter_telemetry_source_up", MetricType::kGauge, kSourceOnly,
         "Whether a configured source has brought something in the last minute.", kOwn, 2);
constexpr FamilyDescription kLastData =
    Make("spire_exporter_telemetry_last_data_timestamp_seconds", MetricType::kGauge, kSourceOnly,
         "When a source brought something last.", kOwn, 2, "seconds");
constexpr FamilyDescription kRestarts = Full(
    Make("spire_exporter_telemetry_source_restarts_total", MetricType::kCounter, kSourceOnly,
         "Restarts of SPIRE that a source showed; the stream's are known 25 s later.", kOwn, 2));
constexpr FamilyDescription kSeries =
    Make("spire_exporter_telemetry_series", MetricType::kGauge, {},
         "Series of SPIRE's telemetry that are remembered.", kOwn, 1);
constexpr FamilyDescription kBytes =
    Make("spire_exporter_telemetry_store_bytes", MetricType::kGauge, {},
         "Memory of SPIRE's telemetry, by estimate.", kOwn, 1, "bytes");
constexpr FamilyDescription kCrossCheck = Full(
    Make("spire_exporter_telemetry_crosscheck_events_total", MetricType::kCounter, kWitnessOnly,
         "The same events as told by two witnesses: timer against counter, stream against scrape.",
         kOwn, 4));

constexpr FamilyDescription kScraped = Make(
    "spire_exporter_telemetry_scraped_observations_total", MetricType::kCounter, kPlacementOnly,
    "Observations in histograms that SPIRE's page told and the stream did not: exact ones are in "
    "their true bucket, decision 7 (docs/decisions) bounds what the others do to a share.",
    kOwn, kPlacementCount);

constexpr const FamilyDescription* kAll[] = {
    &kDatagrams,  &kLines,         &kRejected,   &kKernelDropped, &kTruncated,
    &kClientSent, &kClientDropped, &kMissing,    &kUnprovable,    &kLedger,
    &kClients,    &kListenerUp,    &kSourceUp,   &kLastData,      &kRestarts,
    &kSeries,     &kBytes,         &kCrossCheck, &kScraped};

void AppendListener(const ListenerView& view, FamilyBuilder* out) {
  const double created = view.created_seconds;
  const ListenerCounts& counts = view.counts;
  const auto count = [&](const FamilyDescription& family, uint64_t value) {
    out->Add(family, {view.address}, static_cast<double>(value), created);
  };
  count(kDatagrams, counts.datagrams);
  count(kTruncated, counts.truncated_datagrams);
  count(kLines, counts.lines());
  for (size_t i = 1; i < kRejectCount; ++i) {
    out->Add(kRejected, {view.address, RejectNames()[i]}, static_cast<double>(counts.outcomes[i]),
             created);
  }
  if (view.kernel_drops) count(kKernelDropped, *view.kernel_drops);
  // What only a client can tell is absent until one has, and not zero.
  if (counts.client_sent_metrics > 0) count(kClientSent, counts.client_sent_metrics);
  if (counts.ledger.heard_client()) {
    out->Add(kClientDropped, {view.address, "queue"},
             static_cast<double>(counts.client_dropped_queue), created);
    out->Add(kClientDropped, {view.address, "writer"},
             static_cast<double>(counts.client_dropped_writer), created);
  }
  count(kUnprovable, counts.ledger.unprovable());
  if (counts.ledger.missing_known()) {
    out->Add(kMissing, {view.address}, static_cast<double>(counts.ledger.missing()));
  }
  out->Add(kClients, {view.address}, static_cast<double>(counts.ledger.clients()));
  out->Add(kListenerUp, {view.address}, view.up ? 1 : 0);
  out->AddState(kLedger, {view.address}, LedgerStateName(counts.ledger.state()));
}

}  // namespace

std::span<const FamilyDescription* const> StreamFamilies() {
  return kAll;
}

void AppendStreamFamilies(const StreamState& state, const StoreState& store, FamilyList* families) {
  FamilyBuilder out;
  uint64_t stream_restarts = 0;
  for (const ListenerView& view : state.listeners) {
    AppendListener(view, &out);
    stream_restarts += view.counts.ledger.restarts();
  }
  const double now_seconds = UnixSeconds(state.taken);
  const auto source = [&](std::string_view name, const std::optional<SteadyTime>& last,
                          uint64_t restarts) {
    const bool up = last && state.now - *last <= kSourceUp.age_max;
    out.Add(kSourceUp, {name}, up ? 1 : 0);
    if (last) out.Add(kLastData, {name}, now_seconds - Seconds(state.now - *last));
    out.Add(kRestarts, {name}, static_cast<double>(restarts), state.created_seconds);
  };
  if (!state.listeners.empty()) source("stream", store.stream_last, stream_restarts);
  if (state.scrape_configured) source("scrape", store.page_last, store.page_restarts);
  out.Add(kSeries, {}, static_cast<double>(store.series));
  out.Add(kBytes, {}, static_cast<double>(store.bytes));
  const auto witness = [&](std::string_view name, double events) {
    out.Add(kCrossCheck, {name}, events, state.created_seconds);
  };
  if (store.stream_last) {
    witness("timer", static_cast<double>(store.timer_events));
    witness("counter", store.counter_events);
  }
  if (store.stream_last && store.page_last) {
    witness("stream", store.stream_events);
    witness("scrape", store.page_events);
  }
  if (state.scrape_configured && store.page_last) {
    for (size_t i = 0; i < kPlacementCount; ++i) {
      out.Add(kScraped, {kPlacements[i]}, static_cast<double>(store.scraped[i]),
              state.created_seconds);
    }
  }
  FamilyList own = out.Take();
  for (Family& family : own) families->push_back(std::move(family));
}

}  // namespace spire_exporter::telemetry
