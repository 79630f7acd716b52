#include "collectors/clients/spire/channel.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "collectors/clients/net/waiter.h"
#include "collectors/clients/spire/socket_channel.h"
#include "collectors/clients/spire/socket_pair.h"
#include "exporter/base/text.h"

namespace spire_exporter::spire {
namespace {

constexpr Duration kForEver = std::chrono::hours(24 * 365);
// Between attempts at a socket whose queue is full, because nobody accepts.
constexpr Duration kQueueWait = std::chrono::milliseconds(20);

Result<UniqueFd> DialSocket(const std::string& path, Method method,
                            const GrpcConnection::Limits& limits) {
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return CallError(method, Code::kUnavailable, "socket: " + ErrnoText(errno));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  const Deadline latest = limits.deadline.value_or(Deadline::After(limits.clock, kForEver));
  for (;;) {
    // The one cast that the socket interface asks for.
    const auto* raw = reinterpret_cast<const sockaddr*>(&address);
    if (connect(fd.get(), raw, sizeof address) == 0) return fd;
    if (errno == EINTR) continue;
    if (errno != EAGAIN) {
      return CallError(method, Code::kUnavailable, "connect: " + ErrnoText(errno));
    }
    const Duration wait = std::min(kQueueWait, latest.Remaining(limits.clock));
    const Waiter waiter(Deadline::After(limits.clock, wait), limits.clock, limits.stop);
    static_cast<void>(waiter.Wait(-1, 0, "connect"));
    if (limits.stop.stop_requested()) return CallError(method, Code::kCancelled, "stopped");
    if (latest.Passed(limits.clock)) {
      return CallError(method, Code::kDeadlineExceeded, "nobody accepts the connection");
    }
  }
}

}  // namespace

Result<std::shared_ptr<Channel>> Channel::ToSocket(const std::string& address) {
  constexpr std::string_view kSchemes[] = {"unix://", "unix:"};
  std::string_view path = address;
  for (const std::string_view scheme : kSchemes) {
    if (path.starts_with(scheme)) {
      path.remove_prefix(scheme.size());
      break;
    }
  }
  if (!path.starts_with('/') || path.size() >= sizeof(sockaddr_un::sun_path) ||
      path.find('\0') != std::string_view::npos) {
    return Error{Code::kInvalidArgument,
                 Quoted(address) +
                     " is no socket: expected unix:///absolute/path of at most 107 "
                     "bytes",
                 "", false};
  }
  return std::shared_ptr<Channel>(std::make_shared<SocketChannel>(std::string(path)));
}

SocketChannel& AsSocket(const std::shared_ptr<Channel>& channel) {
  return static_cast<SocketChannel&>(*channel);
}

SocketChannel::Link::Link(UniqueFd server, UniqueFd client, UniqueFd grpc_end)
    : relay(std::move(server), std::move(client), GrpcConnection::kMessageBytesMax),
      connection(GrpcConnection::Over(std::move(grpc_end))) {}

Result<std::shared_ptr<SocketChannel::Link>> SocketChannel::Connect(
    Method method, const GrpcConnection::Limits& limits) {
  {
    MutexLock lock(mutex_);
    if (link_ != nullptr && !link_->relay.Ended()) return link_;
  }
  auto fd = DialSocket(path_, method, limits);
  if (!fd.ok()) return std::move(fd).error();
  auto pair = MakeSocketPair();
  if (!pair.ok()) return std::move(pair).error();
  std::shared_ptr<Link> made;
  try {
    made = std::make_shared<Link>(std::move(fd).value(), std::move(pair.value()[0]),
                                  std::move(pair.value()[1]));
  } catch (const std::system_error& error) {  // no thread for the relay
    return CallError(method, Code::kUnavailable, std::string("thread: ") + error.what());
  }
  // Of two calls that connect at once, one connection is kept and the other ends with its call.
  std::shared_ptr<Link> old = made;  // ends outside of the lock
  MutexLock lock(mutex_);
  std::swap(link_, old);
  return made;
}

void SocketChannel::Drop(const std::shared_ptr<Link>& link) {
  MutexLock lock(mutex_);
  if (link_ == link) link_ = nullptr;
}

Status SocketChannel::Run(Method method, std::string_view request,
                          const GrpcConnection::Limits& limits,
                          const std::function<bool(std::string_view)>& take) {
  if (limits.stop.stop_requested()) return CallError(method, Code::kCancelled, "stopped");
  const auto link = Connect(method, limits);
  if (!link.ok()) return link.error();
  Status status = link.value()->connection->Run(method, request, limits, take);
  if (status.ok()) return status;
  const Code code = status.error().code;
  // A peer that stops says so to new calls while the connection still stands, and one that has hung
  // may have been replaced behind the same path.
  if (code == Code::kUnavailable || code == Code::kDeadlineExceeded) Drop(link.value());
  const Code refused = link.value()->relay.Refused();
  if (refused == Code::kOk || code == Code::kCancelled) return status;
  return RefusedError(method, refused);
}

Result<std::string> SocketChannel::Ask(Method method, std::string_view request, const Call& call) {
  return OneMessage(method, [&](const auto& take) {
    return Run(method, request, {call.deadline, call.stop, call.clock}, take);
  });
}

}  // namespace spire_exporter::spire
