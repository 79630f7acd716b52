#include "collectors/svid/reach_families.h"

#include <algorithm>
#include <memory>
#include <string>

#include "collectors/svid/reach_descriptions.h"
#include "collectors/svid/seconds_of.h"

namespace spire_exporter::svid {
namespace {

using namespace reach;  // NOLINT: the table of this file
using spire::ServerStage;

constexpr const FamilyDescription* kFamilies[] = {
    &kVerdict,   &kResolved, &kAddresses,   &kAttempts,    &kDuration,    &kLastServed, &kClock,
    &kNotBefore, &kExpiry,   &kRemaining,   &kChainExpiry, &kChains,      &kRootsState, &kView,
    &kViews,     &kBundle,   &kBundleFirst, &kBundleLast,  &kRefreshHint, &kSequence};

double Count(size_t count) {
  return static_cast<double>(count);
}

std::shared_ptr<const HistogramLayout> DurationLayout() {
  // A handshake takes a millisecond or twenty, a second is a server in trouble.
  static constexpr int kSchema = 2;
  return *HistogramLayout::Make(kSchema, {0.01, 0.1, 1});
}

void AddSvid(const ReachSummary& summary, SystemTime now, FamilyBuilder* families) {
  if (summary.first == nullptr) return;
  const double begin = SecondsOf(summary.first->leaf.not_before);
  const double end = SecondsOf(summary.first->leaf.not_after);
  families->Add(kNotBefore, {"server"}, begin);
  families->Add(kExpiry, {"server"}, end);
  if (end > begin) {
    families->Add(kRemaining, {"server"},
                  std::clamp((end - UnixSeconds(now)) / (end - begin), 0.0, 1.0));
  }
  if (summary.above_not_after) {
    families->Add(kChainExpiry, {"server"}, SecondsOf(*summary.above_not_after));
  }
}

void AddServed(const ServedView& view, FamilyBuilder* families) {
  for (size_t i = 0; i < kTypes.size(); ++i) {
    families->Add(kBundle, {kTypes[i]}, Count(view.authorities[i]));
  }
  if (view.first_expiry) families->Add(kBundleFirst, {}, SecondsOf(*view.first_expiry));
  if (view.last_expiry) families->Add(kBundleLast, {}, SecondsOf(*view.last_expiry));
  if (view.refresh_hint)
    families->Add(kRefreshHint, {}, static_cast<double>(view.refresh_hint->count()));
  if (view.sequence_number > 0) {
    families->Add(kSequence, {}, static_cast<double>(view.sequence_number));
  }
  families->Add(kView, {"server", "x509"}, static_cast<double>(view.x509_number));
  families->Add(kView, {"server", "jwt"}, static_cast<double>(view.jwt_number));
}

void AddChains(std::string_view against, const ChainTally& tally, FamilyBuilder* families) {
  if (!tally) return;
  for (size_t i = 0; i < kChainVerdicts.size(); ++i) {
    families->Add(kChains, {against, kChainVerdicts[i]}, Count((*tally)[i]));
  }
}

void AddRoots(std::string_view source, const TrustedRoots* roots, FamilyBuilder* families) {
  if (roots != nullptr) families->AddState(kRootsState, {source}, RootsStateName(roots->state));
}

}  // namespace

std::span<const FamilyDescription* const> ReachFamilies() {
  return kFamilies;
}

ReachCounts::ReachCounts(double created_seconds) : created_seconds_(created_seconds) {
  const auto layout = DurationLayout();
  for (size_t i = 0; i < kTimedStages.size(); ++i) durations_.emplace_back(layout);
}

void ReachCounts::Add(const ReachAttempt& attempt) {
  const auto stage = static_cast<size_t>(attempt.stage);
  if (stage >= kStages) return;
  ++attempts_[stage][static_cast<size_t>(attempt.outcome)];
  const bool timed = stage > 0 && attempt.outcome == ReachOutcome::kOk;
  // A stage whose own time is not told, because a later one failed, takes no part.
  if (timed && attempt.took > Duration::zero())
    durations_[stage - 1].Observe(Seconds(attempt.took));
}

void ReachCounts::AddTo(FamilyBuilder* families) const {
  for (size_t stage = 0; stage < kStages; ++stage) {
    for (size_t outcome = 0; outcome < kOutcomes.size(); ++outcome) {
      families->Add(kAttempts, {kTriedStages[stage], kOutcomes[outcome]},
                    static_cast<double>(attempts_[stage][outcome]), created_seconds_);
    }
  }
  for (size_t i = 0; i < durations_.size(); ++i) {
    families->Add(kDuration, {kTimedStages[i]}, durations_[i].Snapshot(), created_seconds_);
  }
}

void AddReach(const ReachView& view, SystemTime now, FamilyBuilder* families) {
  families->AddState(kVerdict, {}, ReachVerdictName(view.verdict));
  families->Add(kResolved, {}, Count(view.resolved));
  for (size_t i = 0; i < kStages.size(); ++i) {
    const bool name = i == static_cast<size_t>(ServerStage::kName);
    families->Add(kAddresses, {kStages[i]},
                  name ? (view.name_failed ? 1 : 0) : Count(view.summary.by_stage[i]));
  }
  if (view.last_served_seconds) families->Add(kLastServed, {}, *view.last_served_seconds);
  if (view.clock_offset_seconds) families->Add(kClock, {}, *view.clock_offset_seconds);
  AddSvid(view.summary, now, families);
  if (view.summary.view != nullptr) AddServed(*view.summary.view, families);
  if (view.views && *view.views > 0) families->Add(kViews, {}, Count(*view.views));
  if (view.held != nullptr && view.held->state == RootsState::kOk) {
    families->Add(kView, {"agent", "x509"},
                  static_cast<double>(TrustNumber(view.held->certificates)));
    if (view.held->jwt_key_ids) {
      families->Add(kView, {"agent", "jwt"},
                    static_cast<double>(TrustNumber(*view.held->jwt_key_ids)));
    }
  }
  AddRoots("held", view.held, families);
  AddRoots("bootstrap", view.bootstrap, families);
  AddChains("served", view.against_served, families);
  AddChains("held", view.against_held, families);
  AddChains("bootstrap", view.against_bootstrap, families);
}

}  // namespace spire_exporter::svid
