#include "collectors/clients/spire/guarded_relay.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include "collectors/clients/spire/message_guard.h"

namespace spire_exporter::spire {
namespace {

// One direction.
class Pipe {
 public:
  Pipe(int from, int to) : from_(from), to_(to) {}

  bool empty() const { return begin_ == end_; }
  std::string_view bytes() const { return {buffer_.data() + begin_, end_ - begin_}; }

  // Both are false at the end.
  bool Fill() {
    const ssize_t got = recv(from_, buffer_.data(), buffer_.size(), 0);
    begin_ = 0;
    end_ = got > 0 ? static_cast<size_t>(got) : 0;
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
  }
  bool Empty() {
    const ssize_t sent = send(to_, buffer_.data() + begin_, end_ - begin_, MSG_NOSIGNAL);
    if (sent > 0) begin_ += static_cast<size_t>(sent);
    return sent >= 0 || errno == EAGAIN || errno == EINTR;
  }

 private:
  const int from_;
  const int to_;
  std::array<char, size_t{16} << 10> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
};

constexpr short kReadable = POLLIN | POLLHUP | POLLERR;

}  // namespace

GuardedRelay::GuardedRelay(UniqueFd server, UniqueFd client, size_t message_bytes_max)
    : server_(std::move(server)),
      client_(std::move(client)),
      message_bytes_max_(message_bytes_max),
      thread_([this] { Run(); }) {}

GuardedRelay::~GuardedRelay() {
  shutdown(client_.get(), SHUT_RDWR);
  thread_.join();
}

bool GuardedRelay::Ended() const {
  pollfd fd = {server_.get(), POLLRDHUP, 0};
  return Refused() != Code::kOk || poll(&fd, 1, 0) > 0;
}

void GuardedRelay::Run() {
  MessageGuard guard(message_bytes_max_);
  Pipe down(server_.get(), client_.get());
  Pipe up(client_.get(), server_.get());
  bool going = true;
  while (going) {
    pollfd fds[] = {{server_.get(), 0, 0}, {client_.get(), 0, 0}};
    fds[0].events = static_cast<short>((down.empty() ? POLLIN : 0) | (up.empty() ? 0 : POLLOUT));
    fds[1].events = static_cast<short>((up.empty() ? POLLIN : 0) | (down.empty() ? 0 : POLLOUT));
    // A closed server with bytes that the client has yet to take would be reported for ever.
    if (fds[0].events == 0) fds[0].fd = -1;
    if (poll(fds, 2, -1) < 0) {
      going = errno == EINTR;
      continue;
    }
    if (!down.empty() && (fds[1].revents & (POLLOUT | POLLHUP | POLLERR)) != 0) {
      going = down.Empty();
    } else if (down.empty() && (fds[0].revents & kReadable) != 0) {
      going = down.Fill();
      if (going && !guard.Pass(down.bytes())) {
        refused_.store(guard.http2() ? Code::kResourceExhausted : Code::kDataLoss,
                       std::memory_order_release);
        going = false;
      }
    }
    if (!going) break;
    if (!up.empty() && (fds[1].revents & (POLLHUP | POLLERR)) != 0) break;  // nobody asks any more
    if (!up.empty() && (fds[0].revents & (POLLOUT | POLLHUP | POLLERR)) != 0) {
      going = up.Empty();
    } else if (up.empty() && (fds[1].revents & kReadable) != 0) {
      going = up.Fill();
    }
  }
  shutdown(client_.get(), SHUT_RDWR);
  shutdown(server_.get(), SHUT_RDWR);
}

}  // namespace spire_exporter::spire
