// The last step of the DogStatsD stream: one datagram into one socket.
#ifndef TESTS_FAKES_DATAGRAM_WRITER_H_
#define TESTS_FAKES_DATAGRAM_WRITER_H_

#include <memory>
#include <string>
#include <string_view>

#include "exporter/base/result.h"
#include "exporter/base/unique_fd.h"
#include "tests/fakes/release.h"

namespace spire_exporter::fakes {

// Never blocks. Not safe from several threads.
class DatagramWriter {
 public:
  enum class Outcome {
    kSent,
    kFailed,
    kBlocked,  // no room: ask again when fd() is writable
  };

  virtual ~DatagramWriter() = default;
  virtual Outcome Write(std::string_view datagram) = 0;
  // -1 while there is no socket.
  virtual int fd() const = 0;
  // Whether this is unixgram, which has sizes, a queue and a deadline of its own.
  virtual bool is_unix() const = 0;

 protected:
  DatagramWriter() = default;
  DatagramWriter(const DatagramWriter&) = delete;
  DatagramWriter& operator=(const DatagramWriter&) = delete;
};

// `HOST:PORT`, `udp://HOST:PORT` or `unix:///PATH` (also `unixgram://`), as SPIRE takes them. A
// host that cannot be resolved is an error at once; a socket file is dialled at the first datagram.
Result<std::unique_ptr<DatagramWriter>> DialDatagrams(std::string_view address,
                                                      const ClientDialect& dialect);

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_DATAGRAM_WRITER_H_
