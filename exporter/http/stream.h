// A client's connection as bytes that come and go without blocking. TLS, when it comes, is a second
// way to do what these four functions do; nothing else in the door touches a client's socket.
#ifndef EXPORTER_HTTP_STREAM_H_
#define EXPORTER_HTTP_STREAM_H_

#include <cstddef>
#include <string_view>
#include <utility>

#include "exporter/base/unique_fd.h"

namespace spire_exporter {

class Stream {
 public:
  enum class State { kDone, kBlocked, kClosed };
  struct Outcome {
    State state = State::kClosed;
    size_t bytes = 0;  // kDone
  };

  Stream() = default;
  // A connected, non-blocking socket.
  explicit Stream(UniqueFd fd) : fd_(std::move(fd)) {}

  int fd() const { return fd_.get(); }
  // kClosed: the peer sends no more, or the connection is broken.
  Outcome Read(char* buffer, size_t size);
  // Writes what it can of one text and then another.
  Outcome Write(std::string_view first, std::string_view second);
  // Tells the peer that nothing more comes.
  void EndWriting();

 private:
  UniqueFd fd_;
};

}  // namespace spire_exporter

#endif  // EXPORTER_HTTP_STREAM_H_
