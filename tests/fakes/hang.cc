#include "tests/fakes/hang.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "exporter/base/text.h"

namespace spire_exporter::fakes {
namespace {

// The start of an answer that looks well, so that a peer goes on reading.
constexpr std::string_view kHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
    "Content-Length: 100000000\r\n\r\n";

UniqueFd StreamSocket(int family) {
  return UniqueFd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

Result<UniqueFd> ListenUnix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    return Error{
        Code::kInvalidArgument, "socket path " + Quoted(path) + " is empty or too long", {}};
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  ::unlink(path.c_str());
  UniqueFd fd = StreamSocket(AF_UNIX);
  if (!fd.valid() ||
      ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      ::listen(fd.get(), 128) != 0) {
    return Error{
        Code::kUnavailable, "cannot listen on " + Quoted(path) + ": " + ErrnoText(errno), {}};
  }
  return fd;
}

// Whether the kernel drops what comes next: of a listening TCP socket, tcpi_unacked is the number
// of connections that wait to be accepted and tcpi_sacked the backlog.
bool IsFull(int listen_fd) {
  tcp_info info{};
  socklen_t length = sizeof(info);
  return ::getsockopt(listen_fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 &&
         info.tcpi_unacked > info.tcpi_sacked;
}

}  // namespace

Result<HangWay> ParseHangWay(std::string_view text) {
  constexpr std::pair<std::string_view, HangWay> kWays[] = {{"no-accept", HangWay::kNoAccept},
                                                            {"accept-only", HangWay::kAcceptOnly},
                                                            {"drip", HangWay::kDrip},
                                                            {"reset", HangWay::kReset},
                                                            {"flood", HangWay::kFlood}};
  for (const auto& [name, way] : kWays) {
    if (text == name) return way;
  }
  return Error{
      Code::kInvalidArgument,
      Quoted(text) + " is no way to hang: expected no-accept, accept-only, drip, reset or flood",
      {}};
}

Result<UniqueFd> ListenStream(const std::string& address) {
  constexpr std::string_view kUnix = "unix:";
  if (address.compare(0, kUnix.size(), kUnix) == 0) return ListenUnix(address.substr(kUnix.size()));
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) {
    return Error{Code::kInvalidArgument, Quoted(address) + " has no port: expected HOST:PORT", {}};
  }
  std::string host = address.substr(0, colon);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* list = nullptr;
  const int code = ::getaddrinfo(host.empty() ? nullptr : host.c_str(), address.c_str() + colon + 1,
                                 &hints, &list);
  if (code != 0) {
    return Error{Code::kInvalidArgument,
                 "cannot resolve " + Quoted(address) + ": " + ::gai_strerror(code),
                 {}};
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);
  UniqueFd fd = StreamSocket(list->ai_family);
  const int on = 1;
  if (fd.valid()) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (!fd.valid() || ::bind(fd.get(), list->ai_addr, list->ai_addrlen) != 0 ||
      ::listen(fd.get(), 128) != 0) {
    return Error{
        Code::kUnavailable, "cannot listen on " + Quoted(address) + ": " + ErrnoText(errno), {}};
  }
  return fd;
}

std::string ListenAddress(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof(storage);
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  if (::getsockname(fd, address, &length) != 0) return {};
  if (storage.ss_family == AF_UNIX) {
    return std::string("unix:") + reinterpret_cast<const sockaddr_un*>(&storage)->sun_path;
  }
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (::getnameinfo(address, length, host.data(), host.size(), port.data(), port.size(),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return {};
  }
  const std::string name(host.data());
  return (storage.ss_family == AF_INET6 ? '[' + name + ']' : name) + ':' + port.data();
}

Status FullBacklog::Fill(int listen_fd) {
  // A second listen() on Linux changes the backlog; zero still leaves room for one connection.
  if (::listen(listen_fd, 0) != 0) {
    return Error{Code::kUnavailable, "cannot shrink the backlog: " + ErrnoText(errno), {}};
  }
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  ::getsockname(listen_fd, reinterpret_cast<sockaddr*>(&address), &length);
  // More than were ever waiting at the larger backlog, and then some.
  for (int i = 0; i < 300; ++i) {
    if (address.ss_family != AF_UNIX && IsFull(listen_fd)) return {};
    UniqueFd fd = StreamSocket(address.ss_family);
    if (!fd.valid()) break;
    const int code = ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), length);
    if (code != 0 && errno == EAGAIN) return {};  // AF_UNIX: full
    // A handshake over loopback is over at once, but for a machine under load.
    pollfd entry{fd.get(), POLLOUT, 0};
    for (int tries = 0; tries < 500 && !IsFull(listen_fd); ++tries) {
      if (::poll(&entry, 1, 10) != 0) break;
    }
    connections_.push_back(std::move(fd));
  }
  return Error{Code::kUnavailable, "the backlog does not fill", {}};
}

void HungPeers::Adopt(UniqueFd connection, SteadyTime now) {
  if (way_ == HangWay::kReset) {
    // Closing with a linger of zero sends RST in place of FIN.
    const linger hard{1, 0};
    ::setsockopt(connection.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    return;
  }
  const int flags = ::fcntl(connection.get(), F_GETFL);
  ::fcntl(connection.get(), F_SETFL, flags | O_NONBLOCK);
  peers_.push_back(Peer{std::move(connection), 0, now});
}

bool HungPeers::Drip(Peer& peer, SteadyTime now) const {
  if (now < peer.due) return true;
  const char byte = peer.sent < kHead.size() ? kHead[peer.sent] : 'a';
  if (::send(peer.fd.get(), &byte, 1, MSG_NOSIGNAL) < 0 && errno != EAGAIN) return false;
  ++peer.sent;
  peer.due = now + drip_interval_;
  return true;
}

bool HungPeers::Flood(Peer& peer) {
  static const std::string kChunk(65536, '#');
  for (;;) {
    std::string_view piece = kHead;
    if (peer.sent < kHead.size()) {
      piece.remove_prefix(peer.sent);
    } else {
      const uint64_t left = kHead.size() + kFloodBytes - peer.sent;
      if (left == 0) return false;
      piece = std::string_view(kChunk).substr(0, std::min<uint64_t>(left, kChunk.size()));
    }
    const ssize_t sent = ::send(peer.fd.get(), piece.data(), piece.size(), MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN;
    peer.sent += static_cast<uint64_t>(sent);
  }
}

void HungPeers::Pump(SteadyTime now) {
  const auto is_gone = [&](Peer& peer) {
    // What the peer says is read and forgotten; its end ends the connection.
    std::array<char, 4096> buffer;
    const ssize_t got = ::recv(peer.fd.get(), buffer.data(), buffer.size(), 0);
    if (got == 0 || (got < 0 && errno != EAGAIN)) return true;
    if (way_ == HangWay::kDrip) return !Drip(peer, now);
    if (way_ == HangWay::kFlood) return !Flood(peer);
    return false;
  };
  peers_.erase(std::remove_if(peers_.begin(), peers_.end(), is_gone), peers_.end());
}

void HungPeers::AppendPoll(std::vector<pollfd>* fds) const {
  for (const Peer& peer : peers_) {
    const int wanted = way_ == HangWay::kFlood ? POLLIN | POLLOUT : POLLIN;
    fds->push_back(pollfd{peer.fd.get(), static_cast<short>(wanted), 0});
  }
}

SteadyTime HungPeers::next_due() const {
  SteadyTime due = SteadyTime::max();
  if (way_ != HangWay::kDrip) return due;
  for (const Peer& peer : peers_) due = std::min(due, peer.due);
  return due;
}

}  // namespace spire_exporter::fakes
