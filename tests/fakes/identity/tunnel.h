// One connection between a peer outside and a gRPC server inside, with TLS ended on the way.
#ifndef TESTS_FAKES_IDENTITY_TUNNEL_H_
#define TESTS_FAKES_IDENTITY_TUNNEL_H_

#include <openssl/ssl.h>
#include <poll.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "exporter/base/clock.h"
#include "exporter/base/unique_fd.h"

namespace spire_exporter::fakes {

using TlsSession = std::unique_ptr<SSL, void (*)(SSL*)>;

// Driven from outside: AppendPoll(), poll(2), Pump(). Both descriptors do not block. Not safe from
// several threads.
class Tunnel {
 public:
  // `tls` is null where the peer speaks in the clear; else it is a server's session.
  Tunnel(UniqueFd outside, UniqueFd inside, TlsSession tls);

  // One byte per interval to the peer from now on.
  void Drip(Duration interval) { drip_ = interval; }
  // After that many bytes more the peer gets no others: the connection is reset.
  void CutAfter(uint64_t bytes) { left_ = sent_ + bytes; }

  // False when it is over.
  bool Pump(SteadyTime now);
  void AppendPoll(std::vector<pollfd>* fds) const;
  // When to pump without an event.
  SteadyTime next_due() const;

 private:
  bool ReadOutside();
  bool ReadInside();
  bool Decrypt();
  void DrainTls();
  bool FlushInside();
  bool FlushOutside(SteadyTime now);

  UniqueFd outside_;
  UniqueFd inside_;
  TlsSession tls_;
  std::string to_outside_;
  std::string to_inside_;
  bool inside_ended_ = false;
  std::optional<Duration> drip_;
  SteadyTime drip_due_;
  uint64_t sent_ = 0;
  std::optional<uint64_t> left_;  // the value of sent_ at which it is cut
};

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_IDENTITY_TUNNEL_H_
