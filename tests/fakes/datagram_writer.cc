#include "tests/fakes/datagram_writer.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "exporter/base/text.h"

namespace spire_exporter::fakes {
namespace {

class UdpWriter final : public DatagramWriter {
 public:
  explicit UdpWriter(UniqueFd fd) : fd_(std::move(fd)) {}

  // A closed port answers the datagram that did go out with an ICMP message, which fails the next
  // send without sending it: every second write to it "succeeds".
  Outcome Write(std::string_view datagram) override {
    const ssize_t sent =
        ::send(fd_.get(), datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) return Outcome::kSent;
    return errno == EAGAIN || errno == EWOULDBLOCK ? Outcome::kBlocked : Outcome::kFailed;
  }
  int fd() const override { return fd_.get(); }
  bool is_unix() const override { return false; }

 private:
  UniqueFd fd_;
};

class UnixWriter final : public DatagramWriter {
 public:
  UnixWriter(sockaddr_un address, bool reconnects) : address_(address), reconnects_(reconnects) {}

  Outcome Write(std::string_view datagram) override {
    if (!fd_.valid() && !Connect()) return Outcome::kFailed;
    const ssize_t sent =
        ::send(fd_.get(), datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) {
      if (reconnects_) fd_.Reset();
      return Outcome::kSent;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) return Outcome::kBlocked;
    fd_.Reset();  // the listener is gone: dial again for the next datagram
    return Outcome::kFailed;
  }
  int fd() const override { return fd_.get(); }
  bool is_unix() const override { return true; }

 private:
  bool Connect() {
    UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!fd.valid()) return false;
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address_), sizeof(address_)) != 0) {
      return false;
    }
    fd_ = std::move(fd);
    return true;
  }

  const sockaddr_un address_;
  const bool reconnects_;
  UniqueFd fd_;
};

Result<std::unique_ptr<DatagramWriter>> DialUnix(std::string_view path,
                                                 const ClientDialect& dialect) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    return Error{Code::kInvalidArgument,
                 "socket path " + Quoted(path) + " is empty or too long (limit 107 bytes)",
                 {}};
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return std::unique_ptr<DatagramWriter>(std::make_unique<UnixWriter>(address, dialect.reconnects));
}

Result<std::unique_ptr<DatagramWriter>> DialUdp(std::string_view address) {
  // Port 8125 when it is missing, like the client.
  std::string host(address);
  std::string port = "8125";
  const size_t colon = host.rfind(':');
  if (colon != std::string::npos && host.find(']', colon) == std::string::npos) {
    port = host.substr(colon + 1);
    host.resize(colon);
  }
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* list = nullptr;
  const int code = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &list);
  if (code != 0) {
    return Error{Code::kInvalidArgument,
                 "cannot resolve " + Quoted(address) + ": " + ::gai_strerror(code),
                 {}};
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);
  UniqueFd fd(::socket(list->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid() || ::connect(fd.get(), list->ai_addr, list->ai_addrlen) != 0) {
    return Error{
        Code::kUnavailable, "cannot dial " + Quoted(address) + ": " + ErrnoText(errno), {}};
  }
  return std::unique_ptr<DatagramWriter>(std::make_unique<UdpWriter>(std::move(fd)));
}

}  // namespace

Result<std::unique_ptr<DatagramWriter>> DialDatagrams(std::string_view address,
                                                      const ClientDialect& dialect) {
  for (const std::string_view scheme : {"unix://", "unixgram://"}) {
    if (address.substr(0, scheme.size()) == scheme) {
      return DialUnix(address.substr(scheme.size()), dialect);
    }
  }
  constexpr std::string_view kUdp = "udp://";
  if (address.substr(0, kUdp.size()) == kUdp) address.remove_prefix(kUdp.size());
  return DialUdp(address);
}

}  // namespace spire_exporter::fakes
