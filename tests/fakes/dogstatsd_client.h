// The DogStatsD client that SPIRE carries, in its two generations: how lines are gathered into
// datagrams, when those leave, and what the client reports of itself.
#ifndef TESTS_FAKES_DOGSTATSD_CLIENT_H_
#define TESTS_FAKES_DOGSTATSD_CLIENT_H_

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/base/clock.h"
#include "tests/fakes/datagram_writer.h"
#include "tests/fakes/release.h"

namespace spire_exporter::fakes {

// What became of datagrams, and of the lines in them (which the client itself does not count).
struct DatagramCounts {
  uint64_t sent = 0;
  uint64_t bytes_sent = 0;
  uint64_t lines_sent = 0;
  uint64_t dropped_queue = 0;
  uint64_t bytes_dropped_queue = 0;
  uint64_t dropped_writer = 0;
  uint64_t bytes_dropped_writer = 0;
  uint64_t lines_dropped = 0;
};

// The queue in front of a socket. Not safe from several threads.
class DatagramSender {
 public:
  DatagramSender(std::unique_ptr<DatagramWriter> writer, const ClientDialect& dialect);

  // Writes at once when nothing waits, else queues, else drops.
  void Send(std::string datagram, uint64_t lines, SteadyTime now);
  // Tries once, past the queue and the counts.
  void SendRaw(std::string_view datagram) { writer_->Write(datagram); }
  // Goes on with what waits; a head that waited longer than the write timeout is dropped.
  void Pump(SteadyTime now);
  // The socket to wait for until it is writable, or -1 when nothing waits.
  int blocked_fd() const { return queue_.empty() ? -1 : writer_->fd(); }
  bool is_unix() const { return writer_->is_unix(); }
  size_t max_payload() const { return max_payload_; }
  const DatagramCounts& counts() const { return counts_; }

 private:
  struct Waiting {
    std::string datagram;
    uint64_t lines;
  };
  // False when the datagram has to wait.
  bool TryWrite(const Waiting& waiting);

  std::unique_ptr<DatagramWriter> writer_;
  const size_t max_payload_;
  const size_t max_queue_;
  const Duration write_timeout_;
  std::deque<Waiting> queue_;
  SteadyTime head_since_;
  DatagramCounts counts_;
};

// Not safe from several threads.
class DogStatsdClient {
 public:
  // Timers start at `now`. `global_tags` stand first in the self-telemetry.
  DogStatsdClient(std::unique_ptr<DatagramWriter> writer, const ClientDialect& dialect,
                  std::string_view global_tags, SteadyTime now);

  // Takes one line without its newline. A line longer than a datagram is dropped in silence.
  void Hand(uint32_t name_hash, std::string_view line, SteadyTime now);
  // Sends a datagram past buffers, queue and counts: for garbage that no client would make.
  void SendRaw(std::string_view datagram) { sender_.SendRaw(datagram); }
  // Flushes and reports when it is time, and pumps the sender.
  void Tick(SteadyTime now);
  SteadyTime next_tick() const { return std::min(next_flush_, next_report_); }

  // Lines handed, without the client's own.
  uint64_t lines_handed() const { return lines_handed_; }
  uint64_t lines_buffered() const;
  const DatagramSender& sender() const { return sender_; }

 private:
  struct Buffer {
    std::string bytes;
    uint64_t lines = 0;
  };
  void Write(uint32_t name_hash, std::string_view line, SteadyTime now);
  void Flush(Buffer& buffer, SteadyTime now);
  void Report(SteadyTime now);

  const ClientDialect& dialect_;
  DatagramSender sender_;
  std::string self_suffix_;
  std::vector<Buffer> buffers_;
  SteadyTime next_flush_;
  SteadyTime next_report_;
  uint64_t lines_handed_ = 0;
  uint64_t reported_lines_ = 0;
  DatagramCounts reported_;
};

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_DOGSTATSD_CLIENT_H_
