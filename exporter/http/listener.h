// Listening sockets: made from addresses, or taken over from whoever made them.
#ifndef EXPORTER_HTTP_LISTENER_H_
#define EXPORTER_HTTP_LISTENER_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "exporter/base/result.h"
#include "exporter/base/unique_fd.h"
#include "exporter/http/listen_address.h"

namespace spire_exporter {

// One listening socket, non-blocking. Closing a unix listener removes its file, if the file is
// still the one it made. Movable, one owner.
class Listener {
 public:
  // A name may stand for several addresses: all are listened on, or none. `:port` is one socket
  // for both families, or v4 alone where the kernel has no v6. The error says what is wrong but
  // not which address: the caller knows the flag.
  static Result<std::vector<Listener>> Open(const ListenAddress& address);

  // Takes over a socket that listens already, as systemd hands them out. Its file, if it has one,
  // is left alone.
  static Result<Listener> Adopt(UniqueFd fd);

  Listener(Listener&&) noexcept = default;
  Listener& operator=(Listener&& other) noexcept;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() { Close(); }

  int fd() const { return fd_.get(); }
  // `127.0.0.1:9926`, `[::]:9926`, `unix:/run/x.sock`.
  const std::string& address() const { return address_; }
  void Close();

 private:
  Listener(UniqueFd fd, std::string address) : fd_(std::move(fd)), address_(std::move(address)) {}
  static Result<Listener> OpenUnix(const std::string& path);

  UniqueFd fd_;
  std::string address_;
  // Of a unix listener that made its file: what to remove, and what it looked like.
  std::string path_;
  uint64_t inode_ = 0;
};

}  // namespace spire_exporter

#endif  // EXPORTER_HTTP_LISTENER_H_
