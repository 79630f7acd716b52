// One place where the stream comes in, kept open whatever happens to it.
#ifndef COLLECTORS_TELEMETRY_LISTENER_H_
#define COLLECTORS_TELEMETRY_LISTENER_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "collectors/telemetry/datagram_socket.h"
#include "collectors/telemetry/listen_address.h"
#include "collectors/telemetry/store.h"
#include "exporter/base/backoff.h"
#include "exporter/base/clock.h"
#include "exporter/base/logger.h"

namespace spire_exporter::telemetry {

// Binds, and binds again with back-off (0.25 s to 5 s) when that fails or when the socket file is
// gone or is another's: Maintain() notices within a second. While a new socket cannot be had the
// old one is read on, as connected senders still reach it. Each change is logged once.
//
// Not safe from several threads.
class Listener {
 public:
  Listener(ListenAddress address, mode_t socket_mode, const Clock& clock, Logger& logger);
  ~Listener();  // removes its socket file
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Does what is due. True when fd() is another one now; `before_close(fd)` was called before the
  // old one was closed, to read what is left in it.
  template <typename BeforeClose>
  bool Maintain(SteadyTime now, BeforeClose before_close) {
    if (now < next_check_) return false;
    std::optional<BoundSocket> fresh = CheckAndBind(now);
    if (!fresh) return false;
    if (socket_.fd.valid()) before_close(socket_.fd.get());
    Adopt(std::move(*fresh));
    return true;
  }
  // Reading failed: closes the socket; the next Maintain() binds anew.
  void Fail(const Error& error, SteadyTime now);

  const ListenAddress& address() const { return address_; }
  mode_t socket_mode() const { return socket_mode_; }
  int fd() const { return socket_.fd.get(); }                       // -1 when there is none
  size_t receive_buffer() const { return socket_.receive_buffer; }  // of UDP
  // Whether new senders reach it.
  bool up() const { return up_; }
  SteadyTime next_check() const { return next_check_; }
  // Of all sockets it has had; absent when the kernel does not tell.
  std::optional<uint64_t> KernelDropsTotal();

  ListenerCounts counts;
  // When the socket was last seen empty.
  SteadyTime drained;
  double created_seconds = 0;

 private:
  std::optional<BoundSocket> CheckAndBind(SteadyTime now);
  void Adopt(BoundSocket fresh);
  void NoteDown(const Error& error);
  void CountDrops();

  const ListenAddress address_;
  const mode_t socket_mode_;
  const Clock& clock_;
  Logger& logger_;
  BoundSocket socket_;
  bool up_ = false;
  bool ever_up_ = false;
  std::string last_problem_;
  SteadyTime next_check_ = SteadyTime::min();
  Backoff backoff_;
  bool drops_known_ = true;
  uint32_t drops_seen_ = 0;  // of the present socket
  uint64_t drops_ = 0;
};

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_LISTENER_H_
