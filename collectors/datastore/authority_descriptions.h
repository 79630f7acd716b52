// What the families of the authorities are: the one table of them.
#ifndef COLLECTORS_DATASTORE_AUTHORITY_DESCRIPTIONS_H_
#define COLLECTORS_DATASTORE_AUTHORITY_DESCRIPTIONS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "exporter/metrics/description.h"

namespace spire_exporter::datastore::authority {

inline constexpr Duration kAge = std::chrono::minutes(2);
inline constexpr uint32_t kAuthoritiesShown = 256;  // a server has three or four
inline constexpr uint32_t kServersShown = 64 * 3;   // rows that are read, by type
inline constexpr size_t kTrustDomainsShown = 50;    // the first by name

inline constexpr std::array<std::string_view, 3> kTypes = {"x509", "jwt", "wit"};
inline constexpr std::array<std::string_view, 4> kSlots = {"prepared", "active", "old", "unknown"};
inline constexpr std::array<std::string_view, 2> kSources = {"ca_journals", "bundles"};
inline constexpr std::array<std::string_view, 11> kSourceStates = {
    "ok",     "partial", "empty",   "no_own",      "no_table", "no_right",
    "locked", "busy",    "timeout", "unreachable", "failed"};
inline constexpr std::array<std::string_view, 3> kServerStates = {"live", "expired", "unreadable"};
inline constexpr std::array<std::string_view, 2> kSteps = {"prepare", "activate"};
inline constexpr std::array<std::string_view, 2> kTaints = {"own", "upstream"};
inline constexpr std::array<std::string_view, 3> kOrigins = {"unknown", "leftover", "upstream"};
inline constexpr std::array<std::string_view, 3> kBundleStates = {"valid", "tainted", "expired"};

inline constexpr LabelDescription kType{"type", "what it signs: certificates or tokens", kTypes};
inline constexpr LabelDescription kJournal{"journal",
                                           "row of ca_journals: a server, for as long as it "
                                           "keeps its keys"};
inline constexpr std::array kTypeOnly = {kType};
inline constexpr std::array kAuthorityLabels = {
    kType, LabelDescription{"slot", "what its server uses it for", kSlots},
    LabelDescription{"authority", "first eight hex digits of its id"}, kJournal};
inline constexpr std::array kServerLabels = {kType, kJournal};
inline constexpr std::array kSourceLabels = {
    LabelDescription{"source", "SPIRE's table", kSources},
    LabelDescription{"state", "whether it could be read, and why not", kSourceStates}};
inline constexpr std::array kServerStateLabels = {LabelDescription{
    "state", "of its X.509 authority: expired is a server that is gone or broken", kServerStates}};
inline constexpr std::array kStepLabels = {kType, LabelDescription{"step", "what is late", kSteps}};
inline constexpr std::array kTaintLabels = {
    kType, LabelDescription{"by", "what is tainted: the authority or what it chains to", kTaints}};
inline constexpr std::array kOriginLabels = {
    kType,
    LabelDescription{"origin",
                     "leftover: older than what the journals name; upstream: the servers chain to "
                     "another authority, which may have put it there",
                     kOrigins}};
inline constexpr std::array kBundleLabels = {
    kType, LabelDescription{"state", "of the authority", kBundleStates}};
inline constexpr std::array kDomainOnly = {
    LabelDescription{"trust_domain", "name of the other domain"}};
inline constexpr std::array kDomainTypeLabels = {kDomainOnly[0], kType};

inline constexpr FamilyDescription kSourceState{
    .name = "spire_authority_source_state",
    .type = MetricType::kStateSet,
    .labels = kSourceLabels,
    .help = "Whether what the authorities are read from could be read from the primary.",
    .source = "ca_journals, bundles",
    .series_max = static_cast<uint32_t>(kSources.size() * kSourceStates.size()),
    .age_max = kAge};
inline constexpr FamilyDescription kExpiry{.name = "spire_authority_expiry_timestamp_seconds",
                                           .unit = "seconds",
                                           .labels = kAuthorityLabels,
                                           .help = "When an authority of a server ends.",
                                           .source = "ca_journals.data",
                                           .series_max = kAuthoritiesShown,
                                           .age_max = kAge};
inline constexpr FamilyDescription kLifetime{
    .name = "spire_authority_lifetime_seconds",
    .unit = "seconds",
    .labels = kAuthorityLabels,
    .help = "Lifetime of an authority from its issue on, which its rotation goes by.",
    .source = "ca_journals.data",
    .series_max = kAuthoritiesShown,
    .age_max = kAge};
inline constexpr FamilyDescription kTainted{
    .name = "spire_authority_tainted",
    .labels = kAuthorityLabels,
    .help = "Whether an authority, or the one it chains to, is tainted: 1 or 0.",
    .source = "ca_journals.data, bundles.data",
    .series_max = kAuthoritiesShown,
    .age_max = kAge};
inline constexpr FamilyDescription kInBundle{
    .name = "spire_authority_in_bundle",
    .labels = kAuthorityLabels,
    .help =
        "Whether what an authority signs can be verified with the bundle: 1 or 0; an old one "
        "with 0 is revoked.",
    .source = "ca_journals.data, bundles.data",
    .series_max = kAuthoritiesShown,
    .age_max = kAge};
inline constexpr FamilyDescription kUpstreamExpiry{
    .name = "spire_authority_upstream_expiry_timestamp_seconds",
    .unit = "seconds",
    .labels = kAuthorityLabels,
    .help = "When the first certificate above an authority ends, its root in the bundle included.",
    .source = "ca_journals.data, bundles.data",
    .series_max = kAuthoritiesShown,
    .age_max = kAge};
inline constexpr FamilyDescription kPrepared{
    .name = "spire_authority_prepared",
    .labels = kServerLabels,
    .help = "Whether a server that signs has its next authority ready: 1 or 0.",
    .source = "ca_journals.data",
    .series_max = kServersShown,
    .age_max = kAge};
inline constexpr FamilyDescription kPrepareAt{
    .name = "spire_authority_preparation_due_timestamp_seconds",
    .unit = "seconds",
    .labels = kServerLabels,
    .help = "When a server prepares the authority after its active one.",
    .source = "ca_journals.data",
    .series_max = kServersShown,
    .age_max = kAge};
inline constexpr FamilyDescription kActivateAt{
    .name = "spire_authority_activation_due_timestamp_seconds",
    .unit = "seconds",
    .labels = kServerLabels,
    .help = "When a server activates the authority after its active one.",
    .source = "ca_journals.data",
    .series_max = kServersShown,
    .age_max = kAge};
inline constexpr FamilyDescription kOverdue{
    .name = "spire_authority_overdue",
    .labels = kStepLabels,
    .help = "Servers that should have prepared or activated an authority and have not.",
    .source = "ca_journals.data",
    .series_max = static_cast<uint32_t>(kTypes.size() * kSteps.size()),
    .age_max = kAge};
inline constexpr FamilyDescription kJournals{
    .name = "spire_authority_journals",
    .labels = kServerStateLabels,
    .help = "Servers that have a journal, dead ones until two weeks after their end.",
    .source = "ca_journals",
    .series_max = static_cast<uint32_t>(kServerStates.size()),
    .age_max = kAge};
inline constexpr FamilyDescription kActiveTainted{
    .name = "spire_authority_active_tainted",
    .labels = kTaintLabels,
    .help = "Servers that go on signing with a tainted authority.",
    .source = "ca_journals.data, bundles.data",
    .series_max = static_cast<uint32_t>(kTypes.size() * kTaints.size()),
    .age_max = kAge};
inline constexpr FamilyDescription kActiveMissing{
    .name = "spire_authority_active_missing",
    .labels = kTypeOnly,
    .help =
        "Servers that sign with an authority that is in no bundle, so that nobody can verify "
        "what they sign; seen twice in a row.",
    .source = "ca_journals.data, bundles.data",
    .series_max = static_cast<uint32_t>(kTypes.size()),
    .age_max = kAge};
inline constexpr FamilyDescription kRevoked{
    .name = "spire_authority_revoked",
    .labels = kTypeOnly,
    .help = "Old authorities that were taken out of the bundle before their end.",
    .source = "ca_journals.data, bundles.data",
    .series_max = static_cast<uint32_t>(kTypes.size()),
    .age_max = kAge};
inline constexpr FamilyDescription kUnowned{
    .name = "spire_authority_unowned",
    .labels = kOriginLabels,
    .help = "Authorities of the bundle that no server has in its journal; seen twice in a row.",
    .source = "ca_journals.data, bundles.data",
    .series_max = static_cast<uint32_t>(kTypes.size() * kOrigins.size()),
    .age_max = kAge};
inline constexpr FamilyDescription kBundle{
    .name = "spire_bundle_authorities",
    .labels = kBundleLabels,
    .help = "Authorities of the trust domain's own bundle; expired ones stay for a day.",
    .source = "bundles.data",
    .series_max = static_cast<uint32_t>(kTypes.size() * kBundleStates.size()),
    .age_max = kAge};
inline constexpr FamilyDescription kSameSubject{
    .name = "spire_bundle_authorities_of_one_subject",
    .help =
        "The most X.509 authorities of the own bundle that share one subject; verifiers give "
        "up at about 100.",
    .source = "bundles.data",
    .age_max = kAge};
inline constexpr FamilyDescription kSequence{
    .name = "spire_bundle_sequence_number",
    .help = "Number of the own bundle's last change; absent where SPIRE does not number them.",
    .source = "bundles.data",
    .age_max = kAge};
inline constexpr FamilyDescription kRefreshHint{
    .name = "spire_bundle_refresh_hint_seconds",
    .unit = "seconds",
    .help = "How often others are asked to fetch the own bundle.",
    .source = "bundles.data",
    .age_max = kAge};
inline constexpr FamilyDescription kUpdated{.name = "spire_bundle_updated_timestamp_seconds",
                                            .unit = "seconds",
                                            .help = "When SPIRE last wrote the own bundle.",
                                            .source = "bundles.updated_at",
                                            .age_max = kAge};
inline constexpr FamilyDescription kUnsequenced{
    .name = "spire_bundle_unsequenced_changes_total",
    .type = MetricType::kCounter,
    .help = "Changes of the own bundle that left its sequence number, as SPIRE never does.",
    .source = "bundles.data",
    .age_max = kAge};
inline constexpr FamilyDescription kRewinds{
    .name = "spire_bundle_sequence_rewinds_total",
    .type = MetricType::kCounter,
    .help =
        "Times that the own bundle's sequence number fell, as after an older copy of the "
        "database was restored.",
    .source = "bundles.data",
    .age_max = kAge};
inline constexpr FamilyDescription kFederated{.name = "spire_federated_bundles",
                                              .help = "Bundles of other trust domains.",
                                              .source = "bundles",
                                              .age_max = kAge};
inline constexpr FamilyDescription kFederatedUpdated{
    .name = "spire_federated_bundle_updated_timestamp_seconds",
    .unit = "seconds",
    .labels = kDomainOnly,
    .help = "When the bundle of another trust domain was last fetched.",
    .source = "bundles.updated_at",
    .series_max = kTrustDomainsShown,
    .age_max = kAge};
inline constexpr FamilyDescription kFederatedFirst{
    .name = "spire_federated_bundle_first_expiry_timestamp_seconds",
    .unit = "seconds",
    .labels = kDomainOnly,
    .help = "When the next X.509 authority of another trust domain ends.",
    .source = "bundles.data",
    .series_max = kTrustDomainsShown,
    .age_max = kAge};
inline constexpr FamilyDescription kFederatedLast{
    .name = "spire_federated_bundle_last_expiry_timestamp_seconds",
    .unit = "seconds",
    .labels = kDomainOnly,
    .help =
        "When the last X.509 authority of another trust domain ends and nobody of it can be "
        "verified.",
    .source = "bundles.data",
    .series_max = kTrustDomainsShown,
    .age_max = kAge};
inline constexpr FamilyDescription kFederatedAuthorities{
    .name = "spire_federated_bundle_authorities",
    .labels = kDomainTypeLabels,
    .help = "Authorities in the bundle of another trust domain.",
    .source = "bundles.data",
    .series_max = static_cast<uint32_t>(kTrustDomainsShown * kTypes.size()),
    .age_max = kAge};

}  // namespace spire_exporter::datastore::authority

#endif  // COLLECTORS_DATASTORE_AUTHORITY_DESCRIPTIONS_H_
