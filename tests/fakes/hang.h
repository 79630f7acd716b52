// The ways in which a peer hangs, as parts that a test server and the simulator share.
#ifndef TESTS_FAKES_HANG_H_
#define TESTS_FAKES_HANG_H_

#include <poll.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/base/clock.h"
#include "exporter/base/result.h"
#include "exporter/base/unique_fd.h"

namespace spire_exporter::fakes {

enum class HangWay {
  kNoAccept,    // `no-accept`: the backlog is full; a TCP connect gets no answer at all
  kAcceptOnly,  // `accept-only`: connections succeed, then nothing
  kDrip,        // `drip`: an endless answer, one byte per interval
  kReset,       // `reset`: connections are accepted and reset at once
  kFlood,       // `flood`: 100 MB as fast as they are read, then the end
};

Result<HangWay> ParseHangWay(std::string_view text);

// A stream socket that listens on `HOST:PORT`, `[V6]:PORT` or `unix:PATH`, not blocking. A socket
// file that is left from before is replaced.
Result<UniqueFd> ListenStream(const std::string& address);
// Where a socket listens, in the same form: tells the port when 0 was asked for.
std::string ListenAddress(int fd);

// Keeps the backlog of a listening socket full with connections of its own, until it goes.
class FullBacklog {
 public:
  FullBacklog() = default;
  // Shrinks the backlog and fills it. Fails when connections keep getting through.
  Status Fill(int listen_fd);
  void Clear() { connections_.clear(); }

 private:
  std::vector<UniqueFd> connections_;
};

// Accepted connections on the receiving end of a way to hang. Not safe from several threads.
class HungPeers {
 public:
  static constexpr uint64_t kFloodBytes = 100'000'000;

  HungPeers(HangWay way, Duration drip_interval) : way_(way), drip_interval_(drip_interval) {}

  HangWay way() const { return way_; }
  size_t size() const { return peers_.size(); }
  void Adopt(UniqueFd connection, SteadyTime now);
  // Writes what is due; lets go of peers that are gone.
  void Pump(SteadyTime now);
  // What to wait for before the next Pump(), beside next_due().
  void AppendPoll(std::vector<pollfd>* fds) const;
  SteadyTime next_due() const;

 private:
  struct Peer {
    UniqueFd fd;
    uint64_t sent = 0;
    SteadyTime due;
  };
  bool Drip(Peer& peer, SteadyTime now) const;
  static bool Flood(Peer& peer);

  const HangWay way_;
  const Duration drip_interval_;
  std::vector<Peer> peers_;
};

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_HANG_H_
