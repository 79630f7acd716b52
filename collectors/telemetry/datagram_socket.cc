#include "collectors/telemetry/datagram_socket.h"

#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "exporter/base/text.h"

namespace spire_exporter::telemetry {
namespace {

// Half a second of 50,000 lines a second in one-line datagrams, as the kernel accounts for them.
constexpr int kReceiveBuffer = 8 << 20;

Error SocketError(std::string what, int number) {
  const Code code = number == EADDRINUSE                    ? Code::kAlreadyExists
                    : number == EACCES || number == EPERM   ? Code::kPermissionDenied
                    : number == ENOENT || number == ENOTDIR ? Code::kNotFound
                                                            : Code::kUnavailable;
  return Error{code, std::move(what) + ": " + ErrnoText(number), "", true};
}

Result<UniqueFd> MakeSocket(const ListenAddress& address) {
  UniqueFd fd(::socket(address.storage.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return SocketError("cannot make a socket", errno);
  return fd;
}

// Makes room for the socket file: removes one whose owner is gone.
Status ClearPath(const ListenAddress& address) {
  struct stat there = {};
  if (::lstat(address.path.c_str(), &there) != 0) return {};  // bind tells
  if (!S_ISSOCK(there.st_mode)) {
    return Error{Code::kAlreadyExists,
                 "there is a file that is not a socket at " + address.path + "; remove it", "",
                 true};
  }
  Result<UniqueFd> probe = MakeSocket(address);
  if (!probe) return probe.error();
  if (::connect(probe->get(), AsSockaddr(address), address.size) == 0 || errno == EPROTOTYPE) {
    return Error{Code::kAlreadyExists, "another process listens at " + address.path, "", true};
  }
  if (errno != ECONNREFUSED) {
    return SocketError("cannot tell whether somebody listens at " + address.path, errno);
  }
  if (::unlink(address.path.c_str()) != 0 && errno != ENOENT) {
    return SocketError("cannot remove the stale socket file " + address.path, errno);
  }
  return {};
}

}  // namespace

std::optional<FileId> SocketFileAt(const std::string& path) {
  struct stat there = {};
  if (::lstat(path.c_str(), &there) != 0 || !S_ISSOCK(there.st_mode)) return std::nullopt;
  return FileId{there.st_dev, there.st_ino};
}

Result<BoundSocket> BindDatagramSocket(const ListenAddress& address, mode_t socket_mode) {
  Result<UniqueFd> made = MakeSocket(address);
  if (!made) return made.error();
  BoundSocket bound;
  bound.fd = std::move(made).value();
  const int fd = bound.fd.get();
  if (address.is_unix()) {
    if (const Status cleared = ClearPath(address); !cleared) return cleared.error();
  } else {
    const int size = kReceiveBuffer;
    // The first needs a capability and is not bound by net.core.rmem_max; the second always works.
    if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0) {
      (void)::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    }
    int granted = 0;
    socklen_t granted_size = sizeof(granted);
    if (::getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &granted, &granted_size) == 0 && granted > 0) {
      bound.receive_buffer = static_cast<size_t>(granted);
    }
    if (address.storage.ss_family == AF_INET6) {
      // So that [::] and 0.0.0.0 can be listened on side by side.
      const int only = 1;
      (void)::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
    }
  }
  if (::bind(fd, AsSockaddr(address), address.size) != 0) {
    return SocketError("cannot listen on " + address.text, errno);
  }
  if (address.is_unix()) {
    if (::chmod(address.path.c_str(), socket_mode) != 0) {
      const int number = errno;
      ::unlink(address.path.c_str());
      return SocketError("cannot set the rights of " + address.path, number);
    }
    bound.file = SocketFileAt(address.path);
  }
  return bound;
}

void RemoveSocketFile(const ListenAddress& address, const BoundSocket& socket) {
  if (socket.file && SocketFileAt(address.path) == socket.file) ::unlink(address.path.c_str());
}

std::optional<uint32_t> KernelDrops(int fd) {
  std::array<uint32_t, SK_MEMINFO_VARS> info{};
  socklen_t size = sizeof(info);
  if (::getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info.data(), &size) != 0 ||
      size <= SK_MEMINFO_DROPS * sizeof(uint32_t)) {
    return std::nullopt;
  }
  return info[SK_MEMINFO_DROPS];
}

DatagramBatch::DatagramBatch() : memory_(new char[kDatagrams * kDatagramMax]), headers_{} {
  for (size_t i = 0; i < kDatagrams; ++i) {
    pieces_[i] = {memory_.get() + i * kDatagramMax, kDatagramMax};
    headers_[i].msg_hdr.msg_iov = &pieces_[i];
    headers_[i].msg_hdr.msg_iovlen = 1;
  }
}

Result<size_t> DatagramBatch::Receive(int fd) {
  for (;;) {
    const int count = ::recvmmsg(fd, headers_.data(), kDatagrams, MSG_DONTWAIT, nullptr);
    if (count >= 0) return static_cast<size_t>(count);
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return size_t{0};
    return SocketError("cannot receive", errno);
  }
}

std::string_view DatagramBatch::datagram(size_t i) const {
  return {memory_.get() + i * kDatagramMax, headers_[i].msg_len};
}

}  // namespace spire_exporter::telemetry
