#include "exporter/expose/process_families.h"

namespace spire_exporter {
namespace process_families {
namespace {

constexpr std::string_view kSelf = "the exporter itself";
constexpr std::string_view kServer = "the exporter's HTTP server";
constexpr std::string_view kKernel = "/proc/self";

constexpr std::array kBuildLabels = {LabelDescription{"revision", "the commit it was built from"},
                                     LabelDescription{"version", "the release"}};
constexpr std::array kRequestLabels = {
    LabelDescription{"handler", "what answered; `none` when no handler was reached", kHandlers},
    LabelDescription{"code", "the HTTP status", kCodes}};
constexpr std::array kStateLabels = {LabelDescription{
    "state",
    "waiting: no whole request has come; queued: no worker is free; running: in a handler; "
    "writing: the client has not taken the whole response",
    kStates}};
constexpr std::array kReasonLabels = {LabelDescription{
    "reason",
    "evicted_*: closed to make room, by the cap of one address, of all connections, or of unsent "
    "bytes; refused: no room could be made; *_timeout; malformed, too_large and too_many_requests: "
    "answered with 4xx or 503; tls_failed: a handshake that could not be; denied: answered with "
    "401, "
    "403 or 429",
    kReasons}};
constexpr std::array kProblemLabels = {LabelDescription{
    "reason",
    "duplicate_series and malformed_series count series; type_conflict and name_clash families",
    kPageProblems}};

}  // namespace

constexpr FamilyDescription kBuildInfo{.name = "spire_exporter_build_info",
                                       .type = MetricType::kInfo,
                                       .unit = "",
                                       .labels = kBuildLabels,
                                       .help = "What this exporter was built from.",
                                       .source = kSelf,
                                       .when_stale = WhenStale::kKept,
                                       .stability = Stability::kStable,
                                       .detail = Detail::kMinimal};
constexpr FamilyDescription kReloadSuccessful{
    .name = "spire_exporter_config_last_reload_successful",
    .unit = "",
    .help =
        "Whether the configuration last read is the one in use: 0 when it was bad and the one "
        "before stays.",
    .source = kSelf,
    .when_stale = WhenStale::kKept,
    .stability = Stability::kStable};
constexpr FamilyDescription kReloadTimestamp{
    .name = "spire_exporter_config_last_reload_success_timestamp_seconds",
    .unit = "seconds",
    .help = "When the configuration in use was put to use.",
    .source = kSelf,
    .when_stale = WhenStale::kKept,
    .stability = Stability::kStable};
constexpr FamilyDescription kRequests{.name = "spire_exporter_http_requests_total",
                                      .type = MetricType::kCounter,
                                      .unit = "",
                                      .labels = kRequestLabels,
                                      .help = "Requests answered.",
                                      .source = kServer,
                                      .series_max = kHandlers.size() * kCodes.size(),
                                      .stability = Stability::kStable,
                                      .detail = Detail::kFull};
constexpr FamilyDescription kResponseBytes{
    .name = "spire_exporter_http_response_bytes_total",
    .type = MetricType::kCounter,
    .unit = "bytes",
    .help = "Bytes of response bodies, as they went out: compressed where they were.",
    .source = kServer,
    .stability = Stability::kStable};
constexpr FamilyDescription kScrapeDuration{
    .name = "spire_exporter_scrape_duration_seconds",
    .type = MetricType::kHistogram,
    .unit = "seconds",
    .help =
        "How long a request for metrics took from its last byte to the finished response, "
        "waiting for a worker included and sending not.",
    .source = kServer,
    .detail = Detail::kFull};
constexpr FamilyDescription kConnections{.name = "spire_exporter_http_connections",
                                         .unit = "",
                                         .labels = kStateLabels,
                                         .help = "Open connections.",
                                         .source = kServer,
                                         .series_max = kStates.size(),
                                         .detail = Detail::kFull};
constexpr FamilyDescription kConnectionsAccepted{
    .name = "spire_exporter_http_connections_accepted_total",
    .type = MetricType::kCounter,
    .unit = "",
    .help = "Connections accepted.",
    .source = kServer};
constexpr FamilyDescription kRejections{.name = "spire_exporter_http_rejections_total",
                                        .type = MetricType::kCounter,
                                        .unit = "",
                                        .labels = kReasonLabels,
                                        .help = "Connections and requests turned away.",
                                        .source = kServer,
                                        .series_max = kReasons.size(),
                                        .detail = Detail::kFull};
constexpr FamilyDescription kUnsentBytes{
    .name = "spire_exporter_http_unsent_bytes",
    .unit = "bytes",
    .help = "Bytes of responses that their readers have not taken yet.",
    .source = kServer};
constexpr FamilyDescription kPageLeftOut{
    .name = "spire_exporter_page_left_out_total",
    .type = MetricType::kCounter,
    .unit = "",
    .labels = kProblemLabels,
    .help =
        "Series or families that a page could not show beside another; each scrape counts "
        "again, and any is a defect of the exporter.",
    .source = kSelf,
    .series_max = kPageProblems.size(),
    .detail = Detail::kFull};
constexpr FamilyDescription kCpuSeconds{.name = "process_cpu_seconds_total",
                                        .type = MetricType::kCounter,
                                        .unit = "seconds",
                                        .help = "Total user and system CPU time spent in seconds.",
                                        .source = kKernel,
                                        .stability = Stability::kStable};
constexpr FamilyDescription kResidentBytes{.name = "process_resident_memory_bytes",
                                           .unit = "bytes",
                                           .help = "Resident memory size in bytes.",
                                           .source = kKernel,
                                           .stability = Stability::kStable};
constexpr FamilyDescription kVirtualBytes{.name = "process_virtual_memory_bytes",
                                          .unit = "bytes",
                                          .help = "Virtual memory size in bytes.",
                                          .source = kKernel,
                                          .stability = Stability::kStable};
constexpr FamilyDescription kThreads{.name = "process_threads",
                                     .unit = "",
                                     .help = "Threads of the process.",
                                     .source = kKernel,
                                     .stability = Stability::kStable};
constexpr FamilyDescription kOpenFds{.name = "process_open_fds",
                                     .unit = "",
                                     .help = "Number of open file descriptors.",
                                     .source = kKernel,
                                     .stability = Stability::kStable};
constexpr FamilyDescription kMaxFds{
    .name = "process_max_fds",
    .unit = "",
    .help = "Maximum number of open file descriptors; +Inf without a limit.",
    .source = kKernel,
    .stability = Stability::kStable};
constexpr FamilyDescription kStartTime{
    .name = "process_start_time_seconds",
    .unit = "seconds",
    .help = "Start time of the process since unix epoch in seconds.",
    .source = kKernel,
    .when_stale = WhenStale::kKept,
    .stability = Stability::kStable};

}  // namespace process_families

std::span<const FamilyDescription* const> ProcessFamilies() {
  using namespace process_families;
  static constexpr std::array<const FamilyDescription*, 18> kAll = {
      &kBuildInfo,     &kReloadSuccessful, &kReloadTimestamp, &kRequests,
      &kResponseBytes, &kScrapeDuration,   &kConnections,     &kConnectionsAccepted,
      &kRejections,    &kUnsentBytes,      &kPageLeftOut,     &kCpuSeconds,
      &kResidentBytes, &kVirtualBytes,     &kThreads,         &kOpenFds,
      &kMaxFds,        &kStartTime};
  return kAll;
}

}  // namespace spire_exporter
