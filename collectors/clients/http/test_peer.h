// For tests: a peer on a real socket that behaves as a function says.
#ifndef COLLECTORS_CLIENTS_HTTP_TEST_PEER_H_
#define COLLECTORS_CLIENTS_HTTP_TEST_PEER_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "exporter/base/unique_fd.h"

namespace spire_exporter {

inline constexpr char kHello[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

// Listens on a free port of 127.0.0.1, or of ::1.
class TestListener {
 public:
  explicit TestListener(bool ipv6 = false, int backlog = 16)
      : fd_(socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_storage storage = {};
    socklen_t size = 0;
    if (ipv6) {
      auto* address = reinterpret_cast<sockaddr_in6*>(&storage);
      address->sin6_family = AF_INET6;
      address->sin6_addr = in6addr_loopback;
      size = sizeof *address;
    } else {
      auto* address = reinterpret_cast<sockaddr_in*>(&storage);
      address->sin_family = AF_INET;
      address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      size = sizeof *address;
    }
    auto* raw = reinterpret_cast<sockaddr*>(&storage);
    if (bind(fd_.get(), raw, size) != 0 || listen(fd_.get(), backlog) != 0 ||
        getsockname(fd_.get(), raw, &size) != 0) {
      throw std::runtime_error("no test listener");
    }
    port_ = ntohs(ipv6 ? reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port
                       : reinterpret_cast<sockaddr_in*>(&storage)->sin_port);
  }

  int fd() const { return fd_.get(); }
  uint16_t port() const { return port_; }
  void Close() { fd_.Reset(); }

 private:
  UniqueFd fd_;
  uint16_t port_ = 0;
};

// Serves one connection after the other until destroyed. `serve` returns once its peer has gone, at
// the latest.
class TestPeer {
 public:
  explicit TestPeer(std::function<void(int fd)> serve, bool ipv6 = false)
      : listener_(ipv6), serve_(std::move(serve)), thread_([this] { Run(); }) {}
  ~TestPeer() {
    shutdown(listener_.fd(), SHUT_RDWR);  // ends accept()
    thread_.join();
  }
  TestPeer(const TestPeer&) = delete;
  TestPeer& operator=(const TestPeer&) = delete;

  uint16_t port() const { return listener_.port(); }
  std::string url(std::string_view scheme = "http", std::string_view host = "127.0.0.1") const {
    return std::string(scheme) + "://" + std::string(host) + ":" + std::to_string(port()) + "/";
  }

 private:
  void Run() {
    for (;;) {
      const UniqueFd peer(accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!peer.valid()) return;
      serve_(peer.get());
    }
  }

  TestListener listener_;
  const std::function<void(int fd)> serve_;
  std::thread thread_;
};

// False once the peer has gone.
inline bool SendAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

// Up to the empty line behind a request's head; what came until then when the peer goes.
inline std::string ReadRequest(int fd) {
  std::string request;
  char byte = 0;
  while (!request.ends_with("\r\n\r\n") && recv(fd, &byte, 1, 0) == 1) request += byte;
  return request;
}

// Until the peer has gone.
inline void WaitForClose(int fd) {
  char bytes[4096];
  while (recv(fd, bytes, sizeof bytes, 0) > 0) {
  }
}

// Answers a request with `reply` and closes.
inline std::function<void(int)> Answers(std::string reply) {
  return [reply = std::move(reply)](int fd) {
    ReadRequest(fd);
    SendAll(fd, reply);
  };
}

// Answers, after `start`, a byte every few milliseconds for as long as the peer stays.
inline std::function<void(int)> Drips(std::string start, std::string_view byte) {
  return [start = std::move(start), byte](int fd) {
    ReadRequest(fd);
    if (!SendAll(fd, start)) return;
    pollfd gone = {fd, POLLIN, 0};
    while (poll(&gone, 1, 5) == 0 && SendAll(fd, byte)) {
    }
  };
}

// Closes with a reset.
inline void Resets(int fd) {
  ReadRequest(fd);
  const linger now = {1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

}  // namespace spire_exporter

#endif  // COLLECTORS_CLIENTS_HTTP_TEST_PEER_H_
