#include "collectors/runway/runway_families.h"

#include <array>

namespace spire_exporter::runway {
namespace {

constexpr std::string_view kFrom = "what other collectors have seen";
constexpr std::array<std::string_view, 2> kClocks = {"workload", "agent"};
constexpr std::array<std::string_view, 4> kSources = {"ledger", "cache", "datastore", "bound"};
constexpr std::array<std::string_view, 5> kSourceStates = {"current", "kept", "doubtful", "partial",
                                                           "absent"};
constexpr std::array<std::string_view, 3> kAnswers = {"yes", "no", "unknown"};
constexpr std::array<std::string_view, 2> kSides = {"sooner", "later"};

constexpr LabelDescription kClock{
    "clock", "workload: the first X.509-SVID of a workload; agent: the first agent's own SVID",
    kClocks};
constexpr LabelDescription kSource{"source",
                                   "ledger: renewals in the agent's telemetry; cache: the agent "
                                   "itself; datastore: SPIRE's tables; "
                                   "bound: the last synchronisation",
                                   kSources};
constexpr std::array kClockSource = {kClock, kSource};
constexpr std::array kSourceState = {
    kClock, kSource,
    LabelDescription{"state",
                     "kept: the last whole word of a source that is silent or no longer whole; "
                     "doubtful: others than SPIRE could have said it; partial: not whole yet",
                     kSourceStates}};
constexpr std::array kSide = {kClock, kSource, LabelDescription{"side", "which way", kSides}};
constexpr std::array kWithin = {
    kClock, LabelDescription{"within", "from now, counted from zero", kWithinNames}};
constexpr std::array kClass = {kClock, LabelDescription{"class", "name of a class"}};
constexpr std::array kAnswer = {LabelDescription{"state", "the answer", kAnswers}};
constexpr std::array kReason = {LabelDescription{
    "reason", "what stands against it, or decides and is not known", kReasonNames}};

constexpr FamilyDescription kRunway{
    .name = "spire_outage_runway_seconds",
    .unit = "seconds",
    .labels = kClockSource,
    .help =
        "Time until the first SVID ends if nothing is issued from now on, also while all is well; "
        "below zero since when one has ended.",
    .source = kFrom,
    .series_max = 5,
    .detail = Detail::kMinimal};
constexpr FamilyDescription kFirstExpiry{
    .name = "spire_outage_first_expiry_timestamp_seconds",
    .unit = "seconds",
    .labels = kClockSource,
    .help = "When the first SVID ends if nothing is issued from now on.",
    .source = kFrom,
    .series_max = 5,
    .detail = Detail::kMinimal};
constexpr FamilyDescription kUncertainty{
    .name = "spire_outage_first_expiry_uncertainty_seconds",
    .unit = "seconds",
    .labels = kSide,
    .help = "By how much the first end may come sooner, or later, than told.",
    .source = "the renewal ledger",
    .series_max = 2};
constexpr FamilyDescription kSourceStateFamily{
    .name = "spire_outage_source_state",
    .type = MetricType::kStateSet,
    .labels = kSourceState,
    .help = "How each source of the runway stands.",
    .source = kFrom,
    .series_max = 5 * static_cast<uint32_t>(kSourceStates.size()),
    .detail = Detail::kFull};
constexpr FamilyDescription kIssuing{
    .name = "spire_outage_issuing",
    .type = MetricType::kStateSet,
    .labels = kAnswer,
    .help = "Whether identities are issued, as seen from here; `yes` makes the runway a what-if.",
    .source = "the canary, the servers as reached from here, the agent's synchronisation",
    .series_max = 3,
    .detail = Detail::kMinimal};
constexpr FamilyDescription kExpiring{
    .name = "spire_outage_svids_expiring",
    .labels = kWithin,
    .help =
        "SVIDs that end within a time if nothing is issued from now on; those that have ended "
        "included.",
    .source = "the renewal ledger, SPIRE's tables",
    .series_max = 8,
    .detail = Detail::kMinimal};
constexpr FamilyDescription kClassRunway{
    .name = "spire_outage_class_runway_seconds",
    .unit = "seconds",
    .labels = kClass,
    .help = "Time until the first agent of a class ends, of the ten classes that go first.",
    .source = "SPIRE's tables",
    .series_max = 20};
constexpr FamilyDescription kJwt{
    .name = "spire_outage_jwt_runway_seconds",
    .unit = "seconds",
    .help = "Time until a JWT-SVID ends that was signed when one last was.",
    .source = "the canary"};
constexpr FamilyDescription kCa{
    .name = "spire_outage_ca_runway_seconds",
    .unit = "seconds",
    .help = "Time until the first certificate of the servers' chains ends, as last seen.",
    .source = "the servers as reached from here"};
constexpr FamilyDescription kComeback{
    .name = "spire_outage_comeback",
    .type = MetricType::kStateSet,
    .labels = kAnswer,
    .help = "Whether the agent beside this process would return if it were restarted now.",
    .source = kFrom,
    .series_max = 3,
    .detail = Detail::kMinimal};
constexpr FamilyDescription kComebackReason{
    .name = "spire_outage_comeback_reason",
    .labels = kReason,
    .help = "1 of what stands against the agent's return, or is not known and decides; else 0.",
    .source = kFrom,
    .series_max = static_cast<uint32_t>(kReasonNames.size())};

constexpr const FamilyDescription* kFamilies[] = {
    &kRunway,      &kFirstExpiry, &kUncertainty, &kSourceStateFamily, &kIssuing,       &kExpiring,
    &kClassRunway, &kJwt,         &kCa,          &kComeback,          &kComebackReason};

}  // namespace

std::span<const FamilyDescription* const> RunwayFamilies() {
  return kFamilies;
}

void AddRunway(const RunwayView& view, SystemTime system, FamilyBuilder& families) {
  families.AddState(kIssuing, {}, view.issuing);
  for (const SourceView& source : view.sources) {
    families.AddState(kSourceStateFamily, {source.clock, source.source}, source.state);
    if (!source.runway) continue;
    const double left = Seconds(*source.runway);
    families.Add(kRunway, {source.clock, source.source}, left);
    families.Add(kFirstExpiry, {source.clock, source.source}, UnixSeconds(system) + left);
    if (source.clock != "workload" || source.source != "ledger") continue;
    families.Add(kUncertainty, {source.clock, source.source, "sooner"}, Seconds(source.sooner));
    families.Add(kUncertainty, {source.clock, source.source, "later"}, Seconds(source.later));
  }
  for (const ExpiringView& expiring : view.expiring) {
    for (size_t i = 0; i < kWithinNames.size(); ++i) {
      if (!expiring.within[i]) continue;
      families.Add(kExpiring, {expiring.clock, kWithinNames[i]},
                   static_cast<double>(*expiring.within[i]));
    }
  }
  for (const ClassView& end : view.classes) {
    families.Add(kClassRunway, {end.clock, end.name}, Seconds(end.runway));
  }
  if (view.jwt) families.Add(kJwt, {}, Seconds(*view.jwt));
  if (view.ca) families.Add(kCa, {}, Seconds(*view.ca));
  if (!view.comeback) return;
  families.AddState(kComeback, {}, view.comeback->state);
  for (size_t i = 0; i < kReasonNames.size(); ++i) {
    families.Add(kComebackReason, {kReasonNames[i]}, view.comeback->reasons[i] ? 1 : 0);
  }
}

}  // namespace spire_exporter::runway
