#include "collectors/svid/reach_probe.h"

#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>
#include <utility>

#include "exporter/base/thread.h"

namespace spire_exporter::svid {
namespace {

using spire::ServerStage;

constexpr size_t kThreadsMax = 4;

spire::Call Part(const spire::Call& call, Duration time) {
  return {Deadline::After(call.clock, std::min(time, call.deadline.Remaining(call.clock))),
          call.stop, call.clock};
}

// Puts what GetBundle said into `probe`; its error when it failed.
Status AskForBundle(const ReachTask& task, const spire::Call& call, ReachProbe* probe) {
  const SteadyTime started = call.clock.Steady();
  Result<spire::ServedBundle> served = spire::GetBundle(task.address, call);
  if (!served.ok()) return std::move(served).error();
  probe->attempts.push_back(
      {ServerStage::kBundle, ReachOutcome::kOk, call.clock.Steady() - started});
  probe->ended = ServerStage::kDone;
  probe->code = Code::kOk;
  probe->chain = served->chain;
  probe->served = std::move(*served);
  return {};
}

// Whether it came to a handshake.
bool Shake(const ReachTask& task, const spire::Call& call, ReachProbe* probe) {
  const SteadyTime started = call.clock.Steady();
  spire::HandshakeOutcome shaken = spire::ShakeHands(task.address, call);
  if (shaken.result.ok()) {
    probe->attempts.push_back({ServerStage::kConnect, ReachOutcome::kOk, shaken.result->connect});
    probe->attempts.push_back({ServerStage::kTls, ReachOutcome::kOk, shaken.result->handshake});
    probe->chain = std::move(shaken.result->chain);
    return true;
  }
  const Duration took = call.clock.Steady() - started;
  probe->ended = shaken.ended == ServerStage::kTls ? ServerStage::kTls : ServerStage::kConnect;
  probe->code = shaken.result.error().code;
  if (probe->ended == ServerStage::kTls) {
    // How long connecting took is not told then.
    probe->attempts.push_back({ServerStage::kConnect, ReachOutcome::kOk, Duration::zero()});
  }
  probe->attempts.push_back({probe->ended, OutcomeOf(probe->code), took});
  return false;
}

}  // namespace

ReachOutcome OutcomeOf(Code code) {
  if (code == Code::kOk) return ReachOutcome::kOk;
  return code == Code::kDeadlineExceeded ? ReachOutcome::kTimeout : ReachOutcome::kFailed;
}

ReachProbe ProbeServer(const ReachTask& task, const spire::Call& call) {
  ReachProbe probe;
  Code refused = Code::kOk;
  if (task.served_before) {
    const Duration most = call.deadline.Remaining(call.clock) * 2 / 3;
    const Status asked = AskForBundle(task, Part(call, most), &probe);
    if (asked.ok()) return probe;
    refused = asked.error().code;
  }
  if (!Shake(task, call, &probe)) return probe;
  const SteadyTime started = call.clock.Steady();
  // A connection that broke says nothing of a server that shakes hands now.
  if (refused == Code::kOk || refused == Code::kUnavailable) {
    const Status asked = AskForBundle(task, call, &probe);
    if (asked.ok()) return probe;
    refused = asked.error().code;
  }
  probe.ended = ServerStage::kBundle;
  probe.code = refused;
  probe.attempts.push_back(
      {ServerStage::kBundle, OutcomeOf(refused), call.clock.Steady() - started});
  return probe;
}

std::vector<ReachProbe> ProbeServers(std::span<const ReachTask> tasks, const spire::Call& call) {
  std::vector<ReachProbe> probes(tasks.size());
  if (tasks.empty()) return probes;
  const size_t threads = std::min(tasks.size(), kThreadsMax);
  const size_t turns = (tasks.size() + threads - 1) / threads;
  const Duration part = call.deadline.Remaining(call.clock) / static_cast<int64_t>(turns);
  std::atomic<size_t> next{0};  // relaxed is enough: the joins order what was written
  const auto work = [&] {
    for (;;) {
      const size_t at = next.fetch_add(1, std::memory_order_relaxed);
      if (at >= tasks.size()) return;
      probes[at] = ProbeServer(tasks[at], Part(call, part));
    }
  };
  std::vector<std::jthread> others;
  others.reserve(threads);
  try {
    while (others.size() + 1 < threads) {
      others.emplace_back([&work] {
        NameThisThread("svid:reach");
        work();
      });
    }
  } catch (const std::system_error&) {
    // With fewer threads some may end at the deadline; the process has other troubles then.
  }
  work();
  others.clear();
  return probes;
}

}  // namespace spire_exporter::svid
