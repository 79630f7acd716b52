// spire-sim: a stand-in for a SPIRE server or agent where the real one is not to be had, and for
// what the real one does not do on demand.
#include <poll.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iostream>
#include <memory>

#include "tests/fakes/endpoints.h"
#include "tests/fakes/identity/identity_part.h"
#include "tests/fakes/sim_options.h"
#include "tests/fakes/simulator.h"

namespace spire_exporter::fakes {
namespace {

int Fail(const Error& error, int code) {
  std::cerr << "spire-sim: " << error.ToString() << '\n';
  return code;
}

timespec UntilNext(const Simulator& simulator, const Endpoints& endpoints, SteadyTime end,
                   Duration longest, const Clock& clock) {
  const SteadyTime next = std::min({simulator.next(), endpoints.next_due(), end});
  Duration left = std::min<Duration>(Deadline(next).Remaining(clock), longest);
  if (!simulator.blocked_fds().empty()) {
    left = std::min<Duration>(left, std::chrono::milliseconds(1));
  }
  return timespec{static_cast<time_t>(left.count() / 1'000'000'000),
                  static_cast<long>(left.count() % 1'000'000'000)};
}

int Run(const SimOptions& options) {
  const RealClock clock;
  std::ofstream truth;
  if (!options.truth.empty()) {
    truth.open(options.truth, std::ios::out | std::ios::trunc);
    if (!truth) return Fail({Code::kUnavailable, "cannot write " + options.truth, {}}, 1);
  }
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  const UniqueFd signal_fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));

  auto simulator = Simulator::Start(options.simulator, clock, truth.is_open() ? &truth : nullptr);
  if (!simulator.ok()) return Fail(simulator.error(), 1);
  simulator.value()->disturbance() = options.rates;
  auto endpoints = Endpoints::Open(options.endpoints, simulator.value().get());
  if (!endpoints.ok()) return Fail(endpoints.error(), 1);
  std::unique_ptr<IdentityPart> identity;
  if (!options.identity.folder.empty()) {
    auto started = IdentityPart::Start(options.identity, simulator.value().get(), clock);
    if (!started.ok()) return Fail(started.error(), 1);
    identity = std::move(started).value();
    endpoints.value()->Extend(
        [raw = identity.get()](std::string_view line) { return raw->Command(line); });
  }
  std::cout << "spire-sim: ready " << endpoints.value()->Addresses() << std::endl;
  if (simulator.value()->fleet_share() < 1) {
    std::cerr << "spire-sim: the fleet is played at " << simulator.value()->fleet_share() * 100
              << " % of its rate: --fleet-lines limits it\n";
  }

  const SteadyTime end =
      options.run_for
          ? clock.Steady() + std::chrono::duration_cast<SteadyTime::duration>(*options.run_for)
          : SteadyTime::max();
  // A blocked unixgram write has a deadline of its own, far shorter than this; what an agent's
  // thread does is told this late at most.
  const Duration longest = std::chrono::milliseconds(identity ? 20 : 1000);
  std::vector<pollfd> fds;
  SteadyTime flushed = clock.Steady();
  bool alive = true;
  while (alive && clock.Steady() < end) {
    alive = !identity || identity->Step();
    simulator.value()->Step();
    if (clock.Steady() - flushed > std::chrono::seconds(1)) {
      truth.flush();  // for whoever reads along
      flushed = clock.Steady();
    }
    fds.assign(1, pollfd{signal_fd.get(), POLLIN, 0});
    endpoints.value()->AppendPoll(&fds);
    for (const int fd : simulator.value()->blocked_fds()) fds.push_back(pollfd{fd, POLLOUT, 0});
    const timespec timeout = UntilNext(*simulator.value(), *endpoints.value(), end, longest, clock);
    ::ppoll(fds.data(), fds.size(), &timeout, nullptr);
    if (fds[0].revents != 0) break;
    endpoints.value()->Pump(clock.Steady());
  }
  std::cout << simulator.value()->Summary() << std::flush;
  if (!alive) std::cerr << "spire-sim: ended: the agent's own SVID is over\n";
  return alive ? 0 : 1;
}

}  // namespace
}  // namespace spire_exporter::fakes

int main(int argc, char** argv) {
  using spire_exporter::fakes::ParseSimOptions;
  const auto options =
      ParseSimOptions(std::span<const char* const>(argv + 1, static_cast<size_t>(argc - 1)));
  if (!options.ok()) return spire_exporter::fakes::Fail(options.error(), 2);
  if (options.value().help) {
    std::cout << spire_exporter::fakes::SimUsage();
    return 0;
  }
  return spire_exporter::fakes::Run(options.value());
}
