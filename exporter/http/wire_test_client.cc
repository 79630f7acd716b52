#include "exporter/http/wire_test_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace spire_exporter {
namespace {

using Moment = std::chrono::steady_clock::time_point;

int PollMs(Moment until) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
  return static_cast<int>(std::max<int64_t>(left.count(), 0));
}

template <typename Address>
bool Connect(int fd, const Address& address) {
  return connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
}

bool ConnectUnix(int fd, const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  return Connect(fd, address);
}

bool ConnectTcp(int fd, bool v6, const std::string& host, uint16_t port,
                const std::string& source) {
  if (v6) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    inet_pton(AF_INET6, host.c_str(), &address.sin6_addr);
    return Connect(fd, address);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  if (!source.empty()) {
    inet_pton(AF_INET, source.c_str(), &address.sin_addr);
    if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) return false;
  }
  address.sin_port = htons(port);
  inet_pton(AF_INET, host.c_str(), &address.sin_addr);
  return Connect(fd, address);
}

}  // namespace

WireClient::WireClient(const std::string& address, const std::string& source, int receive_buffer) {
  const bool local = address.rfind("unix:", 0) == 0;
  const bool v6 = address.front() == '[';
  fd_.Reset(socket(local ? AF_UNIX : v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (receive_buffer > 0) {
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
  }
  if (local) {
    connected_ = ConnectUnix(fd_.get(), address.substr(5));
    return;
  }
  const size_t colon = address.rfind(':');
  const auto port = static_cast<uint16_t>(std::stoi(address.substr(colon + 1)));
  const std::string host = v6 ? address.substr(1, colon - 2) : address.substr(0, colon);
  connected_ = ConnectTcp(fd_.get(), v6, host, port, source);
}

bool WireClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

bool WireClient::More(Moment until, bool* ended) {
  pollfd waiting{fd_.get(), POLLIN, 0};
  *ended = false;
  if (poll(&waiting, 1, PollMs(until)) <= 0) return false;
  std::array<char, 65536> piece;
  const ssize_t got = recv(fd_.get(), piece.data(), piece.size(), 0);
  *ended = got <= 0;
  if (got > 0) buffer_.append(piece.data(), static_cast<size_t>(got));
  return got > 0;
}

WireResponse WireClient::Read(bool head_only, std::chrono::milliseconds patience) {
  const Moment until = std::chrono::steady_clock::now() + patience;
  WireResponse response;
  bool ended = false;
  size_t end = std::string::npos;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!More(until, &ended)) return response;
  }
  response.head = buffer_.substr(0, end + 4);
  buffer_.erase(0, end + 4);
  size_t line = response.head.find("\r\n") + 2;
  while (line < response.head.size() - 2) {
    const size_t next = response.head.find("\r\n", line);
    const size_t colon = response.head.find(": ", line);
    std::string name = response.head.substr(line, colon - line);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    response.headers[name] = response.head.substr(colon + 2, next - colon - 2);
    line = next + 2;
  }
  const size_t length = head_only ? 0 : std::stoul(response.headers["content-length"]);
  while (buffer_.size() < length) {
    if (!More(until, &ended)) return response;
  }
  response.body = buffer_.substr(0, length);
  buffer_.erase(0, length);
  response.status = std::stoi(response.head.substr(9, 3));
  return response;
}

bool WireClient::ReadToEnd(std::string* bytes, std::chrono::milliseconds patience) {
  const Moment until = std::chrono::steady_clock::now() + patience;
  bool ended = false;
  while (More(until, &ended)) {
  }
  *bytes = std::move(buffer_);
  buffer_.clear();
  return ended;
}

void WireClient::EndWriting() {
  shutdown(fd_.get(), SHUT_WR);
}

WireResponse Get(const std::string& address, std::string_view path,
                 std::chrono::milliseconds patience) {
  WireClient client(address);
  client.Send("GET " + std::string(path) + " HTTP/1.1\r\nHost: test\r\n\r\n");
  return client.Read(false, patience);
}

bool Eventually(const std::function<bool()>& holds) {
  const Moment until = std::chrono::steady_clock::now() + kPatience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() >= until) return false;
    poll(nullptr, 0, 1);
  }
  return true;
}

}  // namespace spire_exporter
