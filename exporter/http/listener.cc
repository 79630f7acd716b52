#include "exporter/http/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "exporter/base/text.h"

namespace spire_exporter {
namespace {

// The kernel cuts it to net.core.somaxconn.
constexpr int kBacklog = 4096;

Error SystemError(std::string_view what, int error) {
  Code code = Code::kUnavailable;
  if (error == EADDRINUSE) code = Code::kAlreadyExists;
  if (error == EACCES || error == EPERM) code = Code::kPermissionDenied;
  std::string text(what);
  if (!text.empty()) text += ": ";
  return Error{.code = code,
               .what = text + (error == EADDRINUSE ? "address already in use" : ErrnoText(error)),
               .where = ""};
}

const sockaddr* Generic(const sockaddr_storage& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

std::string AddressText(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return "?";
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &address, sizeof(v4));
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
    return std::string(text) + ":" + std::to_string(ntohs(v4.sin_port));
  }
  if (address.ss_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, &address, sizeof(v6));
    inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
    return "[" + std::string(text) + "]:" + std::to_string(ntohs(v6.sin6_port));
  }
  if (address.ss_family == AF_UNIX) {
    sockaddr_un local;
    std::memcpy(&local, &address, sizeof(local));
    const size_t offset = offsetof(sockaddr_un, sun_path);
    const size_t length = size > offset ? strnlen(local.sun_path, size - offset) : 0;
    return "unix:" + std::string(local.sun_path, length);
  }
  return "?";
}

Result<UniqueFd> OpenTcp(const sockaddr* address, socklen_t size, bool both_families) {
  UniqueFd fd(socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (!fd.valid()) return SystemError("cannot make a socket", errno);
  const int on = 1;
  // So that a restart need not wait for the old connections' TIME_WAIT.
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (address->sa_family == AF_INET6) {
    const int v6_only = both_families ? 0 : 1;
    setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof(v6_only));
  }
  if (bind(fd.get(), address, size) != 0) return SystemError("", errno);
  if (listen(fd.get(), kBacklog) != 0) return SystemError("", errno);
  return fd;
}

Result<UniqueFd> OpenEverywhere(uint16_t port) {
  sockaddr_storage storage{};
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_addr = in6addr_any;
  v6.sin6_port = htons(port);
  std::memcpy(&storage, &v6, sizeof(v6));
  Result<UniqueFd> fd = OpenTcp(Generic(storage), sizeof(v6), true);
  if (fd || fd.error().code == Code::kAlreadyExists || fd.error().code == Code::kPermissionDenied) {
    return fd;
  }
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_addr.s_addr = htonl(INADDR_ANY);
  v4.sin_port = htons(port);
  std::memcpy(&storage, &v4, sizeof(v4));
  return OpenTcp(Generic(storage), sizeof(v4), false);
}

// Whether somebody accepts connections on a unix socket.
bool SomebodyListens(const sockaddr_un& address) {
  const UniqueFd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe.valid()) return true;
  // EAGAIN: somebody does, with a full backlog.
  return connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 ||
         errno == EAGAIN || errno == EACCES || errno == EPERM;
}

// Removes the socket file that a killed process left. A file that is no socket is never touched.
Status RemoveStale(const sockaddr_un& address) {
  struct stat status;
  if (lstat(address.sun_path, &status) != 0) {
    return errno == ENOENT ? Status() : SystemError("", errno);
  }
  if (!S_ISSOCK(status.st_mode)) {
    return Error{.code = Code::kFailedPrecondition,
                 .what = "a file that is no socket is in the way",
                 .where = ""};
  }
  if (SomebodyListens(address)) return SystemError("", EADDRINUSE);
  if (unlink(address.sun_path) != 0 && errno != ENOENT) {
    return SystemError("cannot remove the socket a killed process left", errno);
  }
  return {};
}

}  // namespace

Listener& Listener::operator=(Listener&& other) noexcept {
  if (this != &other) {
    Close();
    fd_ = std::move(other.fd_);
    address_ = std::move(other.address_);
    path_ = std::exchange(other.path_, {});
    inode_ = other.inode_;
  }
  return *this;
}

void Listener::Close() {
  if (fd_.valid() && !path_.empty()) {
    // Another process may have taken the path over in the meantime: that file is not ours.
    struct stat status;
    if (lstat(path_.c_str(), &status) == 0 && status.st_ino == inode_) unlink(path_.c_str());
  }
  fd_.Reset();
  path_.clear();
}

Result<Listener> Listener::OpenUnix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const Status ready = RemoveStale(address);
  if (!ready) return ready.error();
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return SystemError("cannot make a socket", errno);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return SystemError("", errno);
  }
  Listener listener(std::move(fd), "unix:" + path);
  listener.path_ = path;
  struct stat status;
  if (lstat(path.c_str(), &status) == 0) listener.inode_ = status.st_ino;
  if (listen(listener.fd(), kBacklog) != 0) return SystemError("", errno);
  return listener;
}

Result<std::vector<Listener>> Listener::Open(const ListenAddress& address) {
  std::vector<Listener> listeners;
  if (address.kind == ListenAddress::Kind::kUnix) {
    Result<Listener> listener = OpenUnix(address.path);
    if (!listener) return listener.error();
    listeners.push_back(std::move(*listener));
    return listeners;
  }
  if (address.host.empty()) {
    Result<UniqueFd> fd = OpenEverywhere(address.port);
    if (!fd) return fd.error();
    const int number = fd->get();
    listeners.push_back(Listener(std::move(*fd), AddressText(number)));
    return listeners;
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failed =
      getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
  if (failed != 0) {
    return Error{.code = Code::kInvalidArgument,
                 .what = std::string("cannot resolve the host: ") + gai_strerror(failed),
                 .where = ""};
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
  std::optional<Error> first_error;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    Result<UniqueFd> fd = OpenTcp(one->ai_addr, one->ai_addrlen, false);
    if (fd) {
      const int number = fd->get();
      listeners.push_back(Listener(std::move(*fd), AddressText(number)));
    } else if (fd.error().code == Code::kUnavailable && found->ai_next != nullptr) {
      // `localhost` may stand for ::1 on a machine without IPv6: the other address will do.
      if (!first_error) first_error = fd.error();
    } else {
      return fd.error();
    }
  }
  if (listeners.empty()) return *first_error;
  return listeners;
}

Result<Listener> Listener::Adopt(UniqueFd fd) {
  int listening = 0;
  socklen_t size = sizeof(listening);
  if (getsockopt(fd.get(), SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || listening == 0) {
    return Error{.code = Code::kInvalidArgument,
                 .what = "the descriptor is no listening socket",
                 .where = ""};
  }
  const int flags = fcntl(fd.get(), F_GETFL);
  fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK);
  fcntl(fd.get(), F_SETFD, FD_CLOEXEC);
  const int number = fd.get();
  return Listener(std::move(fd), AddressText(number));
}

}  // namespace spire_exporter
