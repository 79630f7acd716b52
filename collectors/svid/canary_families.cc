#include "collectors/svid/canary_families.h"

#include <algorithm>
#include <memory>

#include "collectors/svid/seconds_of.h"
#include "collectors/svid/svid_descriptions.h"

namespace spire_exporter::svid {
namespace {

constexpr Duration kCanaryAge = std::chrono::minutes(5);
// Of what is of now alone. Longer than a round that hangs and the wait before it.
constexpr Duration kSoon = std::chrono::minutes(2);
constexpr std::string_view kFromWorkloadApi = "Workload API";

constexpr std::array kOperation = {
    LabelDescription{"operation",
                     "x509: an SVID from the agent's cache; jwt: a new token, by way of agent, "
                     "server, database and key; bundle: the keys that verify it",
                     kCanaryOperations}};
constexpr std::array kOutcome = {
    kOperation[0],
    LabelDescription{"outcome", "collectors/svid/README.md has what each means", kCanaryOutcomes}};

constexpr FamilyDescription kAttempts{
    .name = "spire_canary_attempts_total",
    .type = MetricType::kCounter,
    .labels = kOutcome,
    .help =
        "What workloads would have met: attempts to get an identity, and what they came to; "
        "absent before the first of its operation.",
    .source = kFromWorkloadApi,
    .series_max = static_cast<uint32_t>(kCanaryOperations.size() * kCanaryOutcomes.size()),
    .age_max = kCanaryAge,
    .detail = Detail::kFull};
constexpr FamilyDescription kLast{.name = "spire_canary_last_outcome_info",
                                  .type = MetricType::kInfo,
                                  .labels = kOutcome,
                                  .help = "What the last attempt came to.",
                                  .source = kFromWorkloadApi,
                                  .series_max = static_cast<uint32_t>(kCanaryOperations.size()),
                                  .age_max = kCanaryAge,
                                  .detail = Detail::kMinimal};
constexpr FamilyDescription kLastOk{
    .name = "spire_canary_last_success_timestamp_seconds",
    .unit = "seconds",
    .labels = kOperation,
    .help = "When an attempt last was a success; absent before the first.",
    .source = kFromWorkloadApi,
    .series_max = static_cast<uint32_t>(kCanaryOperations.size()),
    .age_max = kCanaryAge,
    .when_stale = WhenStale::kKept,
    .detail = Detail::kMinimal};
constexpr FamilyDescription kDuration{.name = "spire_canary_duration_seconds",
                                      .type = MetricType::kHistogram,
                                      .unit = "seconds",
                                      .labels = kOperation,
                                      .help = "How long attempts that were answered took.",
                                      .source = kFromWorkloadApi,
                                      .series_max = static_cast<uint32_t>(kCanaryOperations.size()),
                                      .age_max = kCanaryAge,
                                      .detail = Detail::kFull};
constexpr FamilyDescription kIssuing{
    .name = "spire_canary_issuing",
    .help =
        "1 when the last attempt got a new token signed and it is good, 0 when it could not; "
        "absent where that says nothing: without an entry, or for a token from the agent's cache.",
    .source = kFromWorkloadApi,
    .age_max = kSoon,
    .detail = Detail::kMinimal};
constexpr FamilyDescription kTokenExpiry{.name = "spire_canary_token_expiry_timestamp_seconds",
                                         .unit = "seconds",
                                         .help = "When the last token ends.",
                                         .source = kFromWorkloadApi,
                                         .age_max = kCanaryAge,
                                         .when_stale = WhenStale::kKept};
constexpr FamilyDescription kClock{
    .name = "spire_canary_clock_offset_seconds",
    .unit = "seconds",
    .help =
        "How far the clock of the server that signs is ahead of this one (behind: negative), as "
        "far as the issue of a new token proves it; SPIRE makes allowance for 10 s.",
    .source = "iat of tokens",
    .age_max = kCanaryAge};
constexpr FamilyDescription kFederated{
    .name = "spire_canary_federated_bundles",
    .help = "Bundles of other trust domains that the agent serves.",
    .source = kFromWorkloadApi,
    .age_max = kCanaryAge};
constexpr FamilyDescription kFederatedExpiry{
    .name = "spire_canary_federated_first_expiry_timestamp_seconds",
    .unit = "seconds",
    .help = "When the first of the living X.509 authorities of other trust domains ends.",
    .source = kFromWorkloadApi,
    .age_max = kCanaryAge};
constexpr SvidSource kKeptSvid = {kFromWorkloadApi, kCanaryAge, WhenStale::kKept};
constexpr FamilyDescription kNotBefore = SvidNotBefore(kKeptSvid);
constexpr FamilyDescription kExpiry = SvidExpiry(kKeptSvid);
constexpr FamilyDescription kRemaining = SvidRemaining({kFromWorkloadApi, kSoon});

constexpr const FamilyDescription* kCanaryFamilies[] = {
    &kAttempts, &kLast,      &kLastOk,          &kDuration,  &kIssuing, &kTokenExpiry,
    &kClock,    &kFederated, &kFederatedExpiry, &kNotBefore, &kExpiry,  &kRemaining};

// Outcomes that an operation can have: others are no series.
bool Possible(size_t operation, CanaryOutcome outcome) {
  switch (static_cast<CanaryOperation>(operation)) {
    case CanaryOperation::kX509:
      return outcome != CanaryOutcome::kServerPath;
    case CanaryOperation::kJwt:
      return true;
    case CanaryOperation::kBundle:
      break;
  }
  return outcome == CanaryOutcome::kOk || outcome == CanaryOutcome::kAgentGone ||
         outcome == CanaryOutcome::kTimeout || outcome == CanaryOutcome::kDenied ||
         outcome == CanaryOutcome::kNoEntry || outcome == CanaryOutcome::kMalformed ||
         outcome == CanaryOutcome::kServerPath || outcome == CanaryOutcome::kFailed;
}

}  // namespace

std::span<const FamilyDescription* const> CanaryFamilies() {
  return kCanaryFamilies;
}

CanaryCounts::CanaryCounts(double created_seconds) : created_seconds_(created_seconds) {
  // A token takes 3 ms, an SVID one; five seconds are the deadline.
  static constexpr int kSchema = 2;
  const auto layout = *HistogramLayout::Make(kSchema, {0.005, 0.05, 0.5});
  for (size_t i = 0; i < kCanaryOperations.size(); ++i) durations_.emplace_back(layout);
}

void CanaryCounts::Add(CanaryOperation operation, CanaryOutcome outcome,
                       std::optional<Duration> took, SystemTime now) {
  const auto at = static_cast<size_t>(operation);
  Of& of = operations_[at];
  of.tried = true;
  ++of.outcomes[static_cast<size_t>(outcome)];
  of.last = outcome;
  // Each round begins with it: what was not tried since says nothing of now.
  if (operation == CanaryOperation::kX509) {
    operations_[static_cast<size_t>(CanaryOperation::kJwt)].last.reset();
  }
  if (outcome == CanaryOutcome::kOk) of.last_ok = now;
  if (took) durations_[at].Observe(Seconds(*took));
}

void CanaryCounts::AddTo(FamilyBuilder& families) const {
  for (size_t i = 0; i < kCanaryOperations.size(); ++i) {
    const Of& of = operations_[i];
    if (!of.tried) continue;
    for (size_t k = 0; k < kCanaryOutcomes.size(); ++k) {
      if (!Possible(i, static_cast<CanaryOutcome>(k))) continue;
      families.Add(kAttempts, {kCanaryOperations[i], kCanaryOutcomes[k]},
                   static_cast<double>(of.outcomes[k]), created_seconds_);
    }
    if (of.last) {
      families.AddInfo(kLast,
                       {kCanaryOperations[i], kCanaryOutcomes[static_cast<size_t>(*of.last)]});
    }
    if (of.last_ok) families.Add(kLastOk, {kCanaryOperations[i]}, UnixSeconds(*of.last_ok));
    families.Add(kDuration, {kCanaryOperations[i]}, durations_[i].Snapshot(), created_seconds_);
  }
}

void AddCanary(const CanaryView& view, SystemTime now, FamilyBuilder& families) {
  if (view.issuing) families.Add(kIssuing, {}, *view.issuing ? 1 : 0);
  if (view.token_expires) families.Add(kTokenExpiry, {}, SecondsOf(*view.token_expires));
  if (view.clock_offset) {
    families.Add(kClock, {}, static_cast<double>(view.clock_offset->count()));
  }
  if (view.federated) {
    families.Add(kFederated, {}, static_cast<double>(view.federated->bundles));
    if (view.federated->first_expiry) {
      families.Add(kFederatedExpiry, {}, SecondsOf(*view.federated->first_expiry));
    }
  }
  if (view.leaf == nullptr) return;
  const double begins = SecondsOf(view.leaf->not_before);
  const double ends = SecondsOf(view.leaf->not_after);
  families.Add(kNotBefore, {"canary"}, begins);
  families.Add(kExpiry, {"canary"}, ends);
  if (ends > begins) {
    families.Add(kRemaining, {"canary"},
                 std::clamp((ends - UnixSeconds(now)) / (ends - begins), 0.0, 1.0));
  }
}

}  // namespace spire_exporter::svid
