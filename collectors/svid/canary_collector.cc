#include "collectors/svid/canary_collector.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <string>
#include <utility>

#include "collectors/clients/spire/runway_facts.h"
#include "collectors/clients/spire/workload_api.h"
#include "collectors/svid/canary_families.h"
#include "collectors/svid/canary_judge.h"
#include "exporter/base/text.h"

namespace spire_exporter::svid {
namespace {

using spire::Call;

// A call that comes a little before its round is that round.
constexpr Duration kEarly = std::chrono::milliseconds(50);
// How often what the last round said is told again, whatever the interval: families outlive that.
constexpr Duration kTellAgain = std::chrono::seconds(20);
constexpr Duration kIntervalMax = std::chrono::hours(1);
// As the family says it.
constexpr Duration kClockOffsetMaxAge = std::chrono::minutes(5);

// Keys change a few times a day at most; one that is unknown is asked for at once.
constexpr Duration kKeysMaxAge = std::chrono::minutes(1);

// `spiffe://example.org` of `spiffe://example.org/ns/a`.
std::string TrustDomainOf(const std::string& spiffe_id) {
  constexpr size_t kScheme = std::string_view("spiffe://").size();
  return spiffe_id.substr(0, spiffe_id.find('/', kScheme));
}

class CanaryCollector final : public Collector {
 public:
  CanaryCollector(const CanaryOptions& options, std::shared_ptr<spire::Channel> channel,
                  const Clock& clock)
      : options_(options),
        api_(std::move(channel)),
        ring_(options.audience, options.interval, clock.System()),
        counts_(UnixSeconds(clock.System())),
        period_(std::min(options.interval, kTellAgain).count()) {}

  std::string_view Name() const override { return "svid"; }
  std::string_view Target() const override { return "canary"; }
  std::string Fingerprint() const override {
    return options_.socket + "\n" + options_.audience + "\n" + options_.spiffe_id + "\n" +
           FormatDuration(options_.interval) + " " + FormatDuration(options_.timeout);
  }
  Duration Period() const override {
    return Duration(period_.load(std::memory_order_relaxed));  // a lone value
  }
  Duration Timeout() const override { return options_.timeout; }

  Result<Reading> Collect(const CollectContext& context) override {
    const SteadyTime now = context.clock.Steady();
    if (!next_ || now + kEarly >= *next_) {
      Round(context);
      if (context.stop.stop_requested()) return Error{Code::kCancelled, "stopped", "", true};
      round_at_ = now;
      next_ = now + std::chrono::duration_cast<SteadyTime::duration>(Interval());
    }
    const Duration left = *next_ - context.clock.Steady();
    period_.store(std::clamp(left, kEarly, kTellAgain).count(), std::memory_order_relaxed);
    return Read(context);
  }

 private:
  void Round(const CollectContext& context) {
    problem_ = {};
    view_.issuing.reset();
    view_.federated.reset();
    refused_ = false;
    const bool served = FetchX509(context);
    // Whoever has no entry is refused again, and each refusal is an error in the agent's log.
    if (served && !context.stop.stop_requested()) FetchJwt(context);
  }

  // Long tokens hold their audiences for long: no sooner than the first of them is free again.
  Duration Interval() const {
    const Duration free = lifetime_.value_or(Duration::zero()) / AudienceRing::kSizeMax;
    return std::max(options_.interval, std::min(free, kIntervalMax));
  }
  Duration FreshFor() const {
    return std::max(spire::kFreshFor, 2 * Interval() + options_.timeout);
  }

  Reading Read(const CollectContext& context) {
    const Duration age = context.clock.Steady() - clock_offset_at_;
    if (age > std::max(kClockOffsetMaxAge, FreshFor())) view_.clock_offset.reset();
    Reading reading;
    counts_.AddTo(reading.families);
    view_.leaf = leaf_ ? &*leaf_ : nullptr;
    AddCanary(view_, context.clock.System(), reading.families);
    reading.facts.push_back(Fact::Make(std::string("canary"), round_at_, MakeFact()));
    reading.problem = problem_;
    return reading;
  }

  // Half of the time for each, so that a token that hangs does not hide the SVID.
  Call CallFor(const CollectContext& context, int parts) const {
    const Duration left = context.deadline.Remaining(context.clock);
    return {Deadline::After(context.clock, left / parts), context.stop, context.clock};
  }

  void Count(const CollectContext& context, CanaryOperation operation, CanaryOutcome outcome,
             SteadyTime began, const Status& status) {
    const bool answered = status.ok() || status.error().code == Code::kPermissionDenied;
    counts_.Add(operation, outcome,
                answered ? std::optional<Duration>(context.clock.Steady() - began) : std::nullopt,
                context.clock.System());
    if (outcome == CanaryOutcome::kOk || !problem_.ok()) return;
    const std::string what = std::string(kCanaryOperations[static_cast<size_t>(operation)]) + ": " +
                             std::string(kCanaryOutcomes[static_cast<size_t>(outcome)]);
    problem_ = status.ok() ? Error{Code::kFailedPrecondition, what, "", true}
                           : Error{status.error().code, what + ": " + status.error().what, "",
                                   status.error().retryable};
  }

  // True when there is an identity to ask a token for.
  bool FetchX509(const CollectContext& context) {
    const SteadyTime began = context.clock.Steady();
    const auto x509 = api_.FetchX509Svid(CallFor(context, 2));
    if (context.stop.stop_requested()) return false;
    if (!x509.ok()) {
      const CanaryOutcome outcome = OutcomeOf(x509.error(), false);
      Count(context, CanaryOperation::kX509, outcome, began, x509.error());
      if (outcome == CanaryOutcome::kAgentGone || outcome == CanaryOutcome::kTimeout) {
        view_.issuing = false;
      }
      return false;
    }
    view_.federated = SummariseFederated(*x509, context.clock.System());
    const spire::X509Svid* const svid = FindCanary(*x509, options_.spiffe_id);
    if (svid == nullptr) {
      Count(context, CanaryOperation::kX509, CanaryOutcome::kNoEntry, began, {});
      return false;
    }
    CanarySvid canary = JudgeX509(*svid, context.clock.System());
    Count(context, CanaryOperation::kX509, canary.outcome, began, {});
    spiffe_id_ = canary.spiffe_id;
    if (canary.leaf) leaf_ = std::move(canary.leaf);
    return true;
  }

  void FetchJwt(const CollectContext& context) {
    const SystemTime asked = context.clock.System();
    const std::string audience = ring_.Next(asked);
    const SteadyTime began = context.clock.Steady();
    const auto tokens = api_.FetchJwtSvid(audience, spiffe_id_, CallFor(context, 1));
    if (context.stop.stop_requested()) return;
    if (!tokens.ok()) {
      const CanaryOutcome outcome = OutcomeOf(tokens.error(), true);
      Count(context, CanaryOperation::kJwt, outcome, began, tokens.error());
      refused_ = outcome == CanaryOutcome::kServerPath;
      if (outcome == CanaryOutcome::kServerPath || outcome == CanaryOutcome::kTimeout) {
        view_.issuing = false;
      }
      return;
    }
    const SystemTime answered = context.clock.System();
    const Duration took = context.clock.Steady() - began;
    const std::string& token = tokens->front().token;
    const auto facts = spiffe::ReadJwt(token);
    if (!facts.ok() || facts->subject != spiffe_id_) {
      counts_.Add(CanaryOperation::kJwt, CanaryOutcome::kMalformed, took, answered);
      Complain("jwt: malformed");
      return;
    }
    const auto keys = Keys(context, facts->key_id);
    // Without the keys it came all the same: that alone is told of the token.
    const CanaryOutcome outcome =
        keys ? OutcomeOf(spiffe::VerifyJwtSvid(token, *keys, audience, context.clock.System()))
             : CanaryOutcome::kFailed;
    const bool fresh = ring_.Signed(*facts, asked);
    // A good token out of the agent's cache says nothing of those who sign.
    if (fresh || outcome != CanaryOutcome::kOk) {
      counts_.Add(CanaryOperation::kJwt, outcome, took, answered);
    }
    if (outcome != CanaryOutcome::kOk) {
      Complain("jwt: " + std::string(kCanaryOutcomes[static_cast<size_t>(outcome)]));
    }
    view_.token_expires = facts->expires_at;
    if (facts->issued_at) lifetime_ = facts->expires_at - *facts->issued_at;
    if (!fresh) return;
    if (outcome == CanaryOutcome::kOk) minted_ = answered;
    if (keys) view_.issuing = outcome == CanaryOutcome::kOk;
    view_.clock_offset = ClockOffset(*facts->issued_at, asked, answered);
    clock_offset_at_ = context.clock.Steady();
  }

  void Complain(std::string what) {
    if (problem_.ok()) problem_ = Error{Code::kFailedPrecondition, std::move(what), "", true};
  }

  // The JWKS of the canary's trust domain; read again when it is old, or when it lacks the key.
  std::optional<std::string> Keys(const CollectContext& context, const std::string& key_id) {
    const SteadyTime now = context.clock.Steady();
    const bool has = keys_ && keys_->find("\"" + key_id + "\"") != std::string::npos;
    if (has && now - keys_read_ < kKeysMaxAge) return keys_;
    const auto bundles = api_.FetchJwtBundles(CallFor(context, 1));
    if (!bundles.ok()) {
      Count(context, CanaryOperation::kBundle, OutcomeOf(bundles.error(), true), now,
            bundles.error());
      return has ? keys_ : std::nullopt;
    }
    const auto found = bundles->find(TrustDomainOf(spiffe_id_));
    Count(context, CanaryOperation::kBundle,
          found == bundles->end() ? CanaryOutcome::kMalformed : CanaryOutcome::kOk, now, {});
    if (found == bundles->end()) return std::nullopt;
    keys_ = found->second;
    keys_read_ = now;
    return keys_;
  }

  spire::CanaryFact MakeFact() const {
    spire::CanaryFact fact;
    fact.fresh_for = FreshFor();
    if (leaf_) {
      fact.x509_not_before = leaf_->not_before;
      fact.x509_not_after = leaf_->not_after;
    }
    fact.jwt_minted = minted_;
    fact.jwt_lifetime = lifetime_;
    fact.issuing = view_.issuing;
    fact.refused = refused_;
    return fact;
  }

  const CanaryOptions options_;
  const spire::WorkloadApi api_;
  AudienceRing ring_;
  CanaryCounts counts_;
  std::atomic<int64_t> period_;

  // All below is the thread's of Collect().
  SteadyTime round_at_;
  std::optional<SteadyTime> next_;
  CanaryView view_;
  SteadyTime clock_offset_at_;
  bool refused_ = false;
  Status problem_;
  std::string spiffe_id_;
  std::optional<spiffe::LeafFacts> leaf_;  // the last one that could be read
  std::optional<std::string> keys_;
  SteadyTime keys_read_;
  std::optional<SystemTime> minted_;
  std::optional<Duration> lifetime_;
};

}  // namespace

std::unique_ptr<Collector> MakeCanaryCollector(const CanaryOptions& options,
                                               std::shared_ptr<spire::Channel> channel,
                                               const Clock& clock) {
  return std::make_unique<CanaryCollector>(options, std::move(channel), clock);
}

CheckLine CheckCanary(const CanaryOptions& options, const std::shared_ptr<spire::Channel>& channel,
                      const Clock& clock, const Deadline& deadline) {
  CheckLine line{"svid canary " + options.socket, false, "", ""};
  const spire::WorkloadApi api(channel);
  const auto x509 = api.FetchX509Svid({deadline, {}, clock});
  const CanaryOutcome failed = x509.ok() ? CanaryOutcome::kNoEntry : OutcomeOf(x509.error(), false);
  const spire::X509Svid* const svid = x509.ok() ? FindCanary(*x509, options.spiffe_id) : nullptr;
  if (svid == nullptr) {
    line.detail = x509.ok() ? "the agent serves no SVID of canary.spiffe_id" : x509.error().what;
    line.remedy =
        failed == CanaryOutcome::kNoEntry
            ? "spire-server entry create -parentID AGENT_ID -spiffeID "
              "spiffe://TRUST_DOMAIN/spire-exporter-canary -selector SELECTOR_OF_THIS_CONTAINER"
        : failed == CanaryOutcome::kAgentGone
            ? "mount the folder of the Workload API socket, and start the agent"
            : "look at the agent's log";
    return line;
  }
  const CanarySvid canary = JudgeX509(*svid, clock.System());
  if (canary.outcome != CanaryOutcome::kOk) {
    line.detail = "the SVID that is served is " +
                  std::string(kCanaryOutcomes[static_cast<size_t>(canary.outcome)]);
    line.remedy = "look at the agent's log, and at the clocks of agent and server";
    return line;
  }
  const auto token =
      api.FetchJwtSvid(options.audience + "-check", canary.spiffe_id, {deadline, {}, clock});
  if (!token.ok()) {
    line.detail = "an X.509-SVID is served and verifies, a token is not: " + token.error().what;
    line.remedy = "look at the servers: the agent cannot have anything signed";
    return line;
  }
  line.good = true;
  line.detail = "an X.509-SVID is served and verifies, a token is signed";
  return line;
}

}  // namespace spire_exporter::svid
