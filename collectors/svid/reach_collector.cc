#include "collectors/svid/reach_collector.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "collectors/clients/net/dial.h"
#include "collectors/clients/spire/records.h"
#include "collectors/clients/spire/runway_facts.h"
#include "collectors/clients/spire/workload_api.h"
#include "collectors/svid/reach_families.h"
#include "collectors/svid/reach_judge.h"
#include "collectors/svid/reach_memory.h"
#include "collectors/svid/reach_probe.h"
#include "collectors/svid/reach_schedule.h"
#include "collectors/svid/trust_roots.h"
#include "exporter/base/text.h"

namespace spire_exporter::svid {
namespace {

using spire::ServerStage;

// A call that comes a little before its round is that round.
constexpr Duration kEarly = std::chrono::milliseconds(50);
// How often what is known is judged anew, whatever the interval: certificates end in between, and
// families outlive it.
constexpr Duration kJudgeAgain = std::chrono::minutes(1);

class ReachCollector final : public Collector {
 public:
  ReachCollector(const ReachOptions& options, ResolveServers resolve,
                 std::shared_ptr<spire::Channel> agent, uint64_t seed)
      : options_(options),
        resolve_(std::move(resolve)),
        schedule_(options.interval, seed),
        period_(options.interval.count()) {
    if (agent) agent_.emplace(std::move(agent));
  }

  std::string_view Name() const override { return "svid"; }
  std::string_view Target() const override { return "servers"; }
  std::string Fingerprint() const override {
    return options_.address + '\n' + options_.bootstrap_bundle_file + '\n' + options_.trust_domain +
           '\n' + FormatDuration(options_.interval) + '\n' + FormatDuration(options_.timeout) +
           (agent_ ? "\nagent" : "");
  }
  Duration Period() const override {
    return Duration(period_.load(std::memory_order_relaxed));  // a lone value
  }
  Duration Timeout() const override { return options_.timeout; }

  Result<Reading> Collect(const CollectContext& context) override {
    const SteadyTime now = context.clock.Steady();
    if (!counts_) counts_.emplace(UnixSeconds(context.clock.System()));
    if (!next_ || now + kEarly >= *next_) {
      const Duration until = Round(context);
      if (context.stop.stop_requested()) {
        return Error{Code::kCancelled, "look at the servers", "", true};
      }
      round_at_ = now;
      next_ = now + std::chrono::duration_cast<SteadyTime::duration>(until);
    }
    // A scrape may ask for a reading sooner: time has gone on, and the servers are left alone.
    const Duration left = *next_ - context.clock.Steady();
    period_.store(std::clamp(left, kEarly, kJudgeAgain).count(), std::memory_order_relaxed);
    return Read(context.clock.System());
  }

 private:
  // Looks at what is due; the time until the next round.
  Duration Round(const CollectContext& context) {
    // The agent of this place answers in a millisecond, or hangs: it has the last sixth.
    const Duration time = context.deadline.Remaining(context.clock);
    const spire::Call look{Deadline::After(context.clock, time * 5 / 6), context.stop,
                           context.clock};
    bool changed = Resolve(look);
    std::vector<size_t> places;
    const std::vector<ReachTask> tasks =
        memory_.Tasks(schedule_.Next(memory_.size()), context.clock.System(), &places);
    std::vector<ReachProbe> probes = ProbeServers(tasks, look);
    if (context.stop.stop_requested()) return {};
    const SystemTime system = context.clock.System();
    for (size_t i = 0; i < probes.size(); ++i) {
      for (const ReachAttempt& attempt : probes[i].attempts) counts_->Add(attempt);
      if (probes[i].served) {
        last_served_seconds_ = UnixSeconds(system);
        const std::string& domain = probes[i].served->bundle.trust_domain;
        if (said_domain_.empty()) said_domain_ = spire::TrustDomainName(domain);
      }
      const bool other =
          memory_.Learn(places[i], std::move(probes[i]), system, context.clock.Steady());
      changed = changed || other;
    }
    states_ = memory_.States();
    const ReachSummary summary = Summarise(states_);
    if (places.size() == memory_.size()) views_ = summary.views;
    ReadRoots({context.deadline, context.stop, context.clock}, context.facts);
    const auto authority_end = FirstAuthorityEnd(states_, {last_held_, trust_domain_});
    if (authority_end) ca_not_after_ = authority_end;
    const bool well = resolved_ && summary.views == 1 &&
                      summary.by_stage[static_cast<size_t>(ServerStage::kDone)] == memory_.size();
    return schedule_.Done(changed, well);
  }

  // Whether the name stands for others than before. Where it fails, what it stood for last is
  // looked at all the same: it tells a fault of the name from one of the servers.
  bool Resolve(const spire::Call& call) {
    const SteadyTime started = call.clock.Steady();
    const Waiter waiter(Deadline::After(call.clock, call.deadline.Remaining(call.clock) / 2),
                        call.clock, call.stop);
    const auto addresses = resolve_(waiter);
    if (call.stop.stop_requested()) return false;
    const Code code = addresses.ok() ? Code::kOk : addresses.error().code;
    counts_->Add({ServerStage::kName, OutcomeOf(code), call.clock.Steady() - started});
    const bool before = std::exchange(resolved_, addresses.ok());
    if (!addresses.ok()) {
      addresses_ = 0;
      return before;
    }
    addresses_ = addresses->size();
    const bool others = memory_.Resolved(*addresses);
    return others || !before;
  }

  // Where neither the configuration nor the agent tells. A server says whatever it likes before it
  // is verified: it is asked last, and once.
  std::string OtherDomain(const FactsBoard& facts) const {
    for (const std::string_view subject : {"agent", "server"}) {
      const auto config = facts.Latest<spire::SpireConfigFact>(subject);
      if (!config) continue;
      const std::string_view domain = spire::TrustDomainName(config->value->trust_domain);
      if (!domain.empty()) return std::string(domain);
    }
    return said_domain_;
  }

  void ReadRoots(const spire::Call& call, const FactsBoard& facts) {
    WantedDomain wanted{std::string(spire::TrustDomainName(options_.trust_domain)),
                        OtherDomain(facts)};
    if (wanted.known.empty()) wanted.known = agent_domain_;
    if (agent_) {
      held_ = FetchHeldBundle(*agent_, wanted, call);
      if (!held_->agent_domain.empty()) wanted.known = agent_domain_ = held_->agent_domain;
      // An agent that is gone has its bundle on its disk, and starts with that one.
      if (held_->state == RootsState::kOk) last_held_ = held_->certificates;
    }
    trust_domain_ = wanted.known.empty() ? wanted.otherwise : wanted.known;
    if (!options_.bootstrap_bundle_file.empty()) {
      bootstrap_ = ReadBootstrapBundle(options_.bootstrap_bundle_file);
    }
  }

  Reading Read(SystemTime now) const {
    ReachView view;
    view.resolved = addresses_;
    view.name_failed = !resolved_;
    view.verdict = JudgeReach(resolved_, states_);
    view.summary = Summarise(states_);
    view.last_served_seconds = last_served_seconds_;
    view.clock_offset_seconds = memory_.ClockOffset();
    view.views = views_;
    view.held = held_ ? &*held_ : nullptr;
    view.bootstrap = bootstrap_ ? &*bootstrap_ : nullptr;
    view.against_served = AgainstServed(states_);
    if (held_) view.against_held = AgainstRoots(states_, {last_held_, trust_domain_});
    if (bootstrap_) {
      view.against_bootstrap = AgainstRoots(states_, {bootstrap_->certificates, trust_domain_});
    }

    spire::ServersFact fact;
    fact.fresh_for = std::max(spire::kFreshFor, 2 * options_.interval + options_.timeout);
    fact.addresses = addresses_;
    fact.serving = view.summary.by_stage[static_cast<size_t>(ServerStage::kDone)];
    fact.held_bundle_verifies = Verifies(view.against_held);
    fact.bootstrap_bundle_verifies = Verifies(view.against_bootstrap);
    fact.ca_not_after = ca_not_after_;

    Reading reading;
    AddReach(view, now, &reading.families);
    counts_->AddTo(&reading.families);
    reading.facts.push_back(Fact::Make("servers", round_at_, fact));
    return reading;
  }

  const ReachOptions options_;
  const ResolveServers resolve_;
  std::optional<spire::WorkloadApi> agent_;
  ReachSchedule schedule_;
  std::atomic<int64_t> period_;

  // All below is the thread's of Collect().
  ReachMemory memory_;
  std::optional<ReachCounts> counts_;
  SteadyTime round_at_;
  std::optional<SteadyTime> next_;
  bool resolved_ = false;
  size_t addresses_ = 0;
  std::vector<ServerState> states_;
  std::optional<size_t> views_;
  std::optional<double> last_served_seconds_;
  // Known for good once it was shown: it is asked for when no server is left to show it.
  std::optional<spire::UnixTime> ca_not_after_;
  // Of the agent, once it was told; of the first server that said one; what is gone by.
  std::string agent_domain_, said_domain_, trust_domain_;
  std::optional<TrustedRoots> held_, bootstrap_;
  std::vector<std::string> last_held_;  // DER, the last that could be read
};

}  // namespace

Result<HostPort> ParseServerAddress(const std::string& address) {
  const auto wrong = [&address] {
    return Error{Code::kInvalidArgument, Quoted(address) + " is no host:port", "", false};
  };
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) return wrong();
  HostPort out{address.substr(0, colon), 0};
  const char* const end = address.data() + address.size();
  const auto [rest, problem] = std::from_chars(address.data() + colon + 1, end, out.port);
  if (problem != std::errc() || rest != end || out.port == 0) return wrong();
  if (out.host.starts_with('[') && out.host.ends_with(']')) {
    out.host = out.host.substr(1, out.host.size() - 2);
  } else if (out.host.find_first_of(":[]") != std::string::npos) {
    return wrong();
  }
  if (out.host.empty() || out.host.size() > 255 ||
      out.host.find_first_of(" /\t\r\n") != std::string::npos) {
    return wrong();
  }
  return out;
}

Result<std::vector<HostPort>> ParseServerAddresses(const std::string& addresses) {
  std::vector<HostPort> servers;
  for (const std::string_view one : Split(addresses, ',')) {
    auto server = ParseServerAddress(std::string(Trim(one)));
    if (!server.ok()) return std::move(server).error();
    servers.push_back(*std::move(server));
  }
  return servers;
}

ResolveServers MakeResolveServers(const std::string& addresses) {
  struct Name {
    HostPort server;
    Resolver resolver{ReachMemory::kAddressesMax};
  };
  auto names = std::make_shared<std::vector<Name>>();
  const auto servers = ParseServerAddresses(addresses);
  for (const HostPort& server : *servers) names->emplace_back().server = server;
  return [names](const Waiter& waiter) -> Result<std::vector<SocketAddress>> {
    std::vector<SocketAddress> all;
    Status problem;
    size_t left = names->size();
    for (Name& name : *names) {
      // One that hangs has its part of the time, and the others theirs.
      const auto part =
          waiter.deadline().Remaining(waiter.clock()) / static_cast<Duration::rep>(left--);
      const Waiter own(Deadline::After(waiter.clock(), part), waiter.clock(), waiter.stop());
      const auto found = name.resolver.Resolve(name.server.host, name.server.port, own);
      if (found.ok()) {
        all.insert(all.end(), found->begin(), found->end());
      } else {
        problem = found.error();
      }
    }
    if (all.empty() && !problem.ok()) return problem.error();
    if (all.size() > ReachMemory::kAddressesMax) all.resize(ReachMemory::kAddressesMax);
    return all;
  };
}

std::unique_ptr<Collector> MakeReachCollector(const ReachOptions& options,
                                              std::shared_ptr<spire::Channel> agent,
                                              uint64_t seed) {
  return MakeReachCollector(options, std::move(agent), seed, MakeResolveServers(options.address));
}

std::unique_ptr<Collector> MakeReachCollector(const ReachOptions& options,
                                              std::shared_ptr<spire::Channel> agent, uint64_t seed,
                                              ResolveServers resolve) {
  return std::make_unique<ReachCollector>(options, std::move(resolve), std::move(agent), seed);
}

}  // namespace spire_exporter::svid
