// The descriptions of the families of process_metrics.h, one by one for the code that fills them.
#ifndef EXPORTER_EXPOSE_PROCESS_FAMILIES_H_
#define EXPORTER_EXPOSE_PROCESS_FAMILIES_H_

#include <array>
#include <string_view>

#include "exporter/expose/process_metrics.h"
#include "exporter/metrics/description.h"

namespace spire_exporter::process_families {

inline constexpr std::string_view kMetricsHandler = "metrics";
inline constexpr std::string_view kOther = "other";

// In the order of ServerFigures::State and ServerFigures::Reason.
inline constexpr std::array<std::string_view, ServerFigures::kStates> kStates = {
    "waiting", "queued", "running", "writing"};
inline constexpr std::array<std::string_view, ServerFigures::kReasons> kReasons = {
    "evicted_for_peer",
    "evicted_for_total",
    "evicted_for_bytes",
    "refused",
    "request_timeout",
    "idle_timeout",
    "write_timeout",
    "malformed",
    "too_large",
    "too_many_requests",
    "tls_failed",
    "tls_timeout",
    "denied"};
inline constexpr std::array<std::string_view, 8> kHandlers = {
    kMetricsHandler, "status", "healthy", "ready", "reload", "api", "none", kOther};
inline constexpr std::array<std::string_view, 18> kCodes = {
    "200", "400", "401", "403", "404", "405", "408", "411", "413",
    "414", "429", "431", "500", "501", "503", "504", "505", kOther};
// In the order of the fields of PageReport.
inline constexpr std::array<std::string_view, 4> kPageProblems = {
    "duplicate_series", "type_conflict", "name_clash", "malformed_series"};

extern const FamilyDescription kBuildInfo;
extern const FamilyDescription kReloadSuccessful;
extern const FamilyDescription kReloadTimestamp;
extern const FamilyDescription kRequests;
extern const FamilyDescription kResponseBytes;
extern const FamilyDescription kScrapeDuration;
extern const FamilyDescription kConnections;
extern const FamilyDescription kConnectionsAccepted;
extern const FamilyDescription kRejections;
extern const FamilyDescription kUnsentBytes;
extern const FamilyDescription kPageLeftOut;
extern const FamilyDescription kCpuSeconds;
extern const FamilyDescription kResidentBytes;
extern const FamilyDescription kVirtualBytes;
extern const FamilyDescription kThreads;
extern const FamilyDescription kOpenFds;
extern const FamilyDescription kMaxFds;
extern const FamilyDescription kStartTime;

}  // namespace spire_exporter::process_families

#endif  // EXPORTER_EXPOSE_PROCESS_FAMILIES_H_
