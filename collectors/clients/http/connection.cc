#include "collectors/clients/http/connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <utility>

#include "exporter/base/text.h"

namespace spire_exporter {
namespace {

class PlainConnection final : public Connection {
 public:
  PlainConnection(UniqueFd fd, const Waiter& waiter) : fd_(std::move(fd)), waiter_(waiter) {}

  Status WriteAll(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent > 0) {
        bytes.remove_prefix(static_cast<size_t>(sent));
      } else if (errno == EAGAIN) {
        if (Status status = waiter_.Wait(fd_.get(), POLLOUT, "send"); !status.ok()) return status;
      } else if (errno != EINTR) {
        return Error{Code::kUnavailable, "send: " + ErrnoText(errno), "", true};
      }
    }
    return {};
  }

  Result<size_t> Read(std::span<char> into) override {
    for (;;) {
      // Asked even when bytes are there: a peer that never pauses must not outlast the deadline.
      if (Status status = waiter_.Check("read"); !status.ok()) return std::move(status).error();
      const ssize_t got = recv(fd_.get(), into.data(), into.size(), 0);
      if (got >= 0) return static_cast<size_t>(got);
      if (errno == EAGAIN) {
        if (Status status = waiter_.Wait(fd_.get(), POLLIN, "read"); !status.ok()) {
          return std::move(status).error();
        }
      } else if (errno != EINTR) {
        return Error{Code::kUnavailable, "read: " + ErrnoText(errno), "", true};
      }
    }
  }

 private:
  const UniqueFd fd_;
  const Waiter& waiter_;
};

}  // namespace

std::unique_ptr<Connection> MakePlainConnection(UniqueFd fd, const Waiter& waiter) {
  return std::make_unique<PlainConnection>(std::move(fd), waiter);
}

}  // namespace spire_exporter
