// What taking in a flood costs, held against a receiver that reads the same datagrams and throws
// them away: CPU time (user and system) a line received. The sender is a process of its own; the
// two receivers take turns, and the least of all rounds counts.
//
// usage: flood_bench [ROUNDS]
#include <sched.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "collectors/telemetry/ingest.h"
#include "collectors/telemetry/line_bench.h"
#include "exporter/base/clock.h"
#include "exporter/base/logger.h"

namespace spire_exporter::bench {
namespace {

using telemetry::BoundSocket;
using telemetry::Ingest;
using telemetry::ListenAddress;

struct Flood {
  const char* name;
  size_t datagram_max;
  const char* address;
  size_t lines;
};
// Some 70 ms each, and as much again for the pipes to fill.
constexpr Flood kFloods[] = {
    {"UDP, 1,432 bytes", 1432, "udp://127.0.0.1:18145", 1'000'000},
    {"unixgram, 8 KiB", 8192, "unixgram:///tmp/flood_bench.sock", 3'000'000},
};
constexpr size_t kLinesPrepared = 20'000;

[[noreturn]] void Die(const std::string& what) {
  std::perror(what.c_str());
  std::exit(2);
}

double CpuSeconds() {
  rusage used = {};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

uint64_t LinesIn(std::string_view datagram) {
  return static_cast<uint64_t>(std::count(datagram.begin(), datagram.end(), '\n'));
}

// Sender and receiver on processors of their own, as far as there are two.
void Pin(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<size_t>(processor), &set);
  (void)::sched_setaffinity(0, sizeof(set), &set);
}

// A process that sends all of it once, as fast as it goes.
pid_t Send(const ListenAddress& to, const std::vector<std::string>& datagrams, size_t times) {
  const pid_t child = ::fork();
  if (child < 0) Die("fork");
  if (child > 0) return child;
  Pin(0);
  const int fd = ::socket(to.storage.ss_family, SOCK_DGRAM, 0);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&to.storage), to.size) != 0) ::_exit(1);
  for (size_t i = 0; i < times; ++i) {
    for (const std::string& datagram : datagrams) {
      if (::send(fd, datagram.data(), datagram.size(), 0) < 0) ::_exit(1);
    }
  }
  ::_exit(0);
}

void Await(pid_t child) {
  int status = 0;
  if (::waitpid(child, &status, 0) != child || status != 0) Die("the sender failed");
}

struct Outcome {
  double cpu_ns_a_line = 0;
  double received = 0;  // of what was sent
};

// Reads in batches, counts the bytes' lines afterwards from the number of datagrams.
Outcome ThrowAway(const Flood& flood, const ListenAddress& address,
                  const std::vector<std::string>& datagrams, size_t times) {
  Result<BoundSocket> bound = telemetry::BindDatagramSocket(address, 0600);
  if (!bound) Die(bound.error().what);
  constexpr size_t kBatch = 32;
  std::vector<char> memory(kBatch * flood.datagram_max);
  std::array<iovec, kBatch> pieces{};
  std::array<mmsghdr, kBatch> headers{};
  for (size_t i = 0; i < kBatch; ++i) {
    pieces[i] = {memory.data() + i * flood.datagram_max, flood.datagram_max};
    headers[i].msg_hdr.msg_iov = &pieces[i];
    headers[i].msg_hdr.msg_iovlen = 1;
  }
  const int epoll = ::epoll_create1(0);
  epoll_event interest = {};
  interest.events = EPOLLIN;
  ::epoll_ctl(epoll, EPOLL_CTL_ADD, bound->fd.get(), &interest);

  const double before = CpuSeconds();
  const pid_t child = Send(address, datagrams, times);
  std::atomic<bool> sent{false};
  std::thread waiter([&] {
    Await(child);
    sent.store(true, std::memory_order_release);
  });
  uint64_t count = 0;
  for (;;) {
    const bool last = sent.load(std::memory_order_acquire);
    epoll_event event = {};
    (void)::epoll_wait(epoll, &event, 1, 10);
    for (;;) {
      const int read = ::recvmmsg(bound->fd.get(), headers.data(), kBatch, MSG_DONTWAIT, nullptr);
      if (read <= 0) break;
      count += static_cast<uint64_t>(read);
    }
    if (last) break;
  }
  const double used = CpuSeconds() - before;
  waiter.join();
  ::close(epoll);
  telemetry::RemoveSocketFile(address, *bound);
  const double share = static_cast<double>(count) / static_cast<double>(datagrams.size() * times);
  uint64_t lines = 0;
  for (const std::string& datagram : datagrams) lines += LinesIn(datagram);
  return {used * 1e9 / (static_cast<double>(lines * times) * share), share};
}

double LinesTaken(Ingest& ingest, const Clock& clock) {
  const auto snapshot = ingest.Acquire(Deadline::After(clock, std::chrono::seconds(10)));
  if (snapshot == nullptr) return 0;
  for (const Family& family : snapshot->families) {
    if (family.description->name != "spire_exporter_statsd_lines_total") continue;
    return family.series.empty() ? 0 : family.series[0].value;
  }
  return 0;
}

Outcome TakeIn(const ListenAddress& address, const std::vector<std::string>& datagrams,
               size_t times) {
  const RealClock clock;
  NullLogger logger;
  Ingest ingest(clock, logger);
  if (!ingest.Start().ok()) Die("cannot start");
  telemetry::IngestOptions options;
  options.listen.push_back(address);
  ingest.Configure(std::move(options));
  (void)LinesTaken(ingest, clock);  // it listens now
  const double before = CpuSeconds();
  Await(Send(address, datagrams, times));
  // A request is answered with all that has arrived; in a flood with what was read so far.
  double taken = LinesTaken(ingest, clock);
  for (double more = taken + 1; more != taken;) {
    taken = std::exchange(more, LinesTaken(ingest, clock));
  }
  const double used = CpuSeconds() - before;
  uint64_t lines = 0;
  for (const std::string& datagram : datagrams) lines += LinesIn(datagram);
  return {used * 1e9 / taken, taken / static_cast<double>(lines * times)};
}

void Compare(const Flood& flood, int rounds) {
  const telemetry::LineBench bench(kLinesPrepared, flood.datagram_max, 1);
  const std::vector<std::string>& datagrams = bench.datagrams();
  Result<ListenAddress> address = telemetry::ParseListenAddress(flood.address);
  if (!address) Die(address.error().what);
  const size_t times = flood.lines / kLinesPrepared;
  std::vector<Outcome> thrown;
  std::vector<Outcome> taken;
  for (int round = 0; round < rounds; ++round) {
    thrown.push_back(ThrowAway(flood, *address, datagrams, times));
    taken.push_back(TakeIn(*address, datagrams, times));
  }
  const auto least = [](std::vector<Outcome>& all) {
    std::sort(all.begin(), all.end(),
              [](const Outcome& a, const Outcome& b) { return a.cpu_ns_a_line < b.cpu_ns_a_line; });
    return all.front();
  };
  const Outcome floor = least(thrown);
  const Outcome ours = least(taken);
  std::printf(
      "%-20s thrown away %6.1f ns a line (%5.1f %% received), taken in %6.1f ns (%5.1f %%): "
      "%.2fx\n",
      flood.name, floor.cpu_ns_a_line, floor.received * 100, ours.cpu_ns_a_line,
      ours.received * 100, ours.cpu_ns_a_line / floor.cpu_ns_a_line);
}

}  // namespace
}  // namespace spire_exporter::bench

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 9;
  spire_exporter::bench::Pin(1);
  for (const auto& flood : spire_exporter::bench::kFloods) {
    spire_exporter::bench::Compare(flood, rounds);
  }
  return 0;
}
