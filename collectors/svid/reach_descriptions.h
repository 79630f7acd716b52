// What the families of the servers as they are reached are: the one table of them.
#ifndef COLLECTORS_SVID_REACH_DESCRIPTIONS_H_
#define COLLECTORS_SVID_REACH_DESCRIPTIONS_H_

#include <array>
#include <string_view>

#include "collectors/svid/reach_judge.h"
#include "collectors/svid/svid_descriptions.h"
#include "exporter/metrics/description.h"

namespace spire_exporter::svid::reach {

// Longer than the longest interval with its jitter, so that a round that fails leaves no gap.
inline constexpr Duration kAge = std::chrono::minutes(5);
inline constexpr std::string_view kPort = "the servers' port";

inline constexpr std::array<std::string_view, 5> kStages = {"name", "connect", "tls", "bundle",
                                                            "done"};
inline constexpr std::array<std::string_view, 4> kTriedStages = {"name", "connect", "tls",
                                                                 "bundle"};
inline constexpr std::array<std::string_view, 3> kTimedStages = {"connect", "tls", "bundle"};
inline constexpr std::array<std::string_view, 3> kOutcomes = {"ok", "failed", "timeout"};
inline constexpr std::array<std::string_view, 3> kTypes = {"x509", "jwt", "wit"};
inline constexpr std::array<std::string_view, 2> kViewTypes = {"x509", "jwt"};
inline constexpr std::array<std::string_view, 2> kViewSources = {"server", "agent"};
inline constexpr std::array<std::string_view, 2> kRoots = {"held", "bootstrap"};
inline constexpr std::array<std::string_view, 4> kRootsStates = {"ok", "denied", "unavailable",
                                                                 "malformed"};
inline constexpr std::array<std::string_view, 3> kAgainst = {"served", "held", "bootstrap"};
inline constexpr std::array<std::string_view, 5> kChainVerdicts = {
    "good", "expired", "not_yet_valid", "untrusted", "malformed"};

inline constexpr std::array kStageLabels = {
    LabelDescription{"stage", "where the last look at an address ended; done: it serves", kStages}};
inline constexpr std::array kAttemptLabels = {
    LabelDescription{"stage", "what was tried", kTriedStages},
    LabelDescription{"outcome", "timeout: no answer in time", kOutcomes}};
inline constexpr std::array kDurationLabels = {
    LabelDescription{"stage", "what was tried; bundle has a connection of its own", kTimedStages}};
inline constexpr std::array kVerdictLabels = {
    LabelDescription{"verdict",
                     "database: handshakes, and no bundle; tls_broken: connections, and no "
                     "handshake; unknown: what answers is not SPIRE as we know it",
                     kReachVerdicts}};
inline constexpr std::array kTypeLabels = {
    LabelDescription{"type", "what the authorities sign", kTypes}};
inline constexpr std::array kViewLabels = {
    LabelDescription{"source", "who served it: the servers or the agent of this place",
                     kViewSources},
    LabelDescription{"type", "what the authorities sign", kViewTypes}};
inline constexpr std::array kRootsLabels = {
    LabelDescription{"source", "held: by the agent of this place; bootstrap: the agents' file",
                     kRoots},
    LabelDescription{"state", "whether it could be read, and why not", kRootsStates}};
inline constexpr std::array kChainLabels = {
    LabelDescription{"against",
                     "served: the bundle of the same server; held: that of the agent of this "
                     "place, the last that could be read; bootstrap: that which agents start with",
                     kAgainst},
    LabelDescription{
        "verdict",
        "of the certificates that a server showed; untrusted too: it is no SPIRE server's",
        kChainVerdicts}};

inline constexpr FamilyDescription kVerdict{
    .name = "spire_reach_verdict",
    .type = MetricType::kStateSet,
    .labels = kVerdictLabels,
    .help = "What the servers are, as they are reached from here.",
    .source = kPort,
    .series_max = static_cast<uint32_t>(kReachVerdicts.size()),
    .age_max = kAge,
    .detail = Detail::kMinimal};
inline constexpr FamilyDescription kResolved{
    .name = "spire_reach_name_addresses",
    .help = "Addresses that the servers' name stands for; at most 16 are looked at.",
    .source = "the resolver",
    .age_max = kAge};
inline constexpr FamilyDescription kAddresses{
    .name = "spire_reach_addresses",
    .labels = kStageLabels,
    .help =
        "Addresses of servers by where the last look at them ended; while the name fails, those "
        "that it had last.",
    .source = kPort,
    .series_max = static_cast<uint32_t>(kStages.size()),
    .age_max = kAge};
inline constexpr FamilyDescription kAttempts{
    .name = "spire_reach_attempts_total",
    .type = MetricType::kCounter,
    .labels = kAttemptLabels,
    .help =
        "What was tried on the way to servers; connect and tls only where a handshake was looked "
        "at by itself.",
    .source = kPort,
    .series_max = static_cast<uint32_t>(kTriedStages.size() * kOutcomes.size()),
    .age_max = kAge,
    .detail = Detail::kFull};
inline constexpr FamilyDescription kDuration{
    .name = "spire_reach_duration_seconds",
    .type = MetricType::kHistogram,
    .unit = "seconds",
    .labels = kDurationLabels,
    .help = "How long the stages of the way to servers took where they went well.",
    .source = kPort,
    .series_max = static_cast<uint32_t>(kTimedStages.size()),
    .age_max = kAge,
    .detail = Detail::kFull};
inline constexpr FamilyDescription kLastServed{
    .name = "spire_reach_last_served_timestamp_seconds",
    .unit = "seconds",
    .help = "When a server last served its bundle here; absent before the first time.",
    .source = kPort,
    .age_max = kAge,
    .when_stale = WhenStale::kKept};
inline constexpr FamilyDescription kClock{
    .name = "spire_reach_clock_offset_seconds",
    .unit = "seconds",
    .help =
        "How far a server's clock is ahead of ours (behind: negative), as far as a certificate "
        "that it renewed under our eyes proves it; the largest of all servers.",
    .source = "notBefore of the servers' certificates",
    .age_max = kAge};
inline constexpr SvidSource kServersSvid = {kPort, kAge};
inline constexpr FamilyDescription kNotBefore = SvidNotBefore(kServersSvid);
inline constexpr FamilyDescription kExpiry = SvidExpiry(kServersSvid);
inline constexpr FamilyDescription kRemaining = SvidRemaining(kServersSvid);
inline constexpr FamilyDescription kChainExpiry = SvidFamily(
    "spire_svid_chain_expiry_timestamp_seconds", "seconds",
    "When the first of the certificates above an SVID ends, its root included.", kServersSvid);
inline constexpr FamilyDescription kChains{
    .name = "spire_reach_chains",
    .labels = kChainLabels,
    .help = "Servers by whether a bundle verifies the certificates that they show.",
    .source = kPort,
    .series_max = static_cast<uint32_t>(kAgainst.size() * kChainVerdicts.size()),
    .age_max = kAge};
inline constexpr FamilyDescription kRootsState{
    .name = "spire_trust_source_state",
    .type = MetricType::kStateSet,
    .labels = kRootsLabels,
    .help = "Whether what is trusted here could be read.",
    .source = "Workload API, bootstrap bundle",
    .series_max = static_cast<uint32_t>(kRoots.size() * kRootsStates.size()),
    .age_max = kAge,
    .detail = Detail::kFull};
inline constexpr FamilyDescription kView{
    .name = "spire_trust_view",
    .labels = kViewLabels,
    .help =
        "48 bits of the set of authorities that is trusted, as it is served here: the same number "
        "wherever the same set is.",
    .source = "GetBundle, Workload API",
    .series_max = static_cast<uint32_t>(kViewSources.size() * kViewTypes.size()),
    .age_max = kAge,
    .detail = Detail::kMinimal};
inline constexpr FamilyDescription kViews{
    .name = "spire_trust_views",
    .help =
        "Different sets of X.509 authorities that the servers behind the name served when all of "
        "them were last looked at; 1 when they agree.",
    .source = "GetBundle",
    .age_max = kAge};
inline constexpr FamilyDescription kBundle{
    .name = "spire_served_bundle_authorities",
    .labels = kTypeLabels,
    .help = "Authorities of the bundle as servers serve it; expired ones stay for a day.",
    .source = "GetBundle",
    .series_max = static_cast<uint32_t>(kTypes.size()),
    .age_max = kAge,
    .detail = Detail::kFull};
inline constexpr FamilyDescription kBundleFirst{
    .name = "spire_served_bundle_first_expiry_timestamp_seconds",
    .unit = "seconds",
    .help = "When the first X.509 authority of the served bundle ends or has ended.",
    .source = "GetBundle",
    .age_max = kAge};
inline constexpr FamilyDescription kBundleLast{
    .name = "spire_served_bundle_last_expiry_timestamp_seconds",
    .unit = "seconds",
    .help = "When the last X.509 authority of the served bundle ends.",
    .source = "GetBundle",
    .age_max = kAge,
    .detail = Detail::kFull};
inline constexpr FamilyDescription kRefreshHint{
    .name = "spire_served_bundle_refresh_hint_seconds",
    .unit = "seconds",
    .help = "How often others are asked to fetch the bundle, as it is served.",
    .source = "GetBundle",
    .age_max = kAge,
    .detail = Detail::kFull};
inline constexpr FamilyDescription kSequence{
    .name = "spire_served_bundle_sequence_number",
    .help = "Number of the served bundle's last change, the highest of all servers.",
    .source = "GetBundle",
    .age_max = kAge,
    .detail = Detail::kFull};

}  // namespace spire_exporter::svid::reach

#endif  // COLLECTORS_SVID_REACH_DESCRIPTIONS_H_
