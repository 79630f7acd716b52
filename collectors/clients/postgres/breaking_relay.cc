#include "collectors/clients/postgres/breaking_relay.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <vector>

namespace spire_exporter::pg {
namespace {

constexpr int kPaceMilliseconds = 20;

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool SendAll(int fd, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data += sent;
    size -= static_cast<size_t>(sent);
  }
  return true;
}

}  // namespace

Result<std::unique_ptr<BreakingRelay>> BreakingRelay::Start(uint16_t server_port) {
  UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  auto* const name = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener.get(), name, size) != 0 || listen(listener.get(), 16) != 0 ||
      getsockname(listener.get(), name, &size) != 0) {
    return Error{Code::kUnavailable, "no port on the loopback", "", false};
  }
  return std::unique_ptr<BreakingRelay>(
      new BreakingRelay(std::move(listener), ntohs(address.sin_port), server_port));
}

BreakingRelay::BreakingRelay(UniqueFd listener, uint16_t port, uint16_t server_port)
    : listener_(std::move(listener)),
      port_(port),
      server_port_(server_port),
      thread_([this] { Run(); }) {}

BreakingRelay::~BreakingRelay() {
  stop_.store(true);
  thread_.join();
}

void BreakingRelay::Break(BreakWay way, int64_t after_bytes) {
  way_.store(way);
  left_.store(after_bytes);
  broken_.store(true);
}

void BreakingRelay::Accept() {
  UniqueFd client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (client.get() < 0) return;
  UniqueFd server(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = Loopback(server_port_);
  if (connect(server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return;
  }
  pairs_.push_back({std::move(client), std::move(server)});
}

void BreakingRelay::ToServer(Pair& pair) {
  std::array<char, 4096> buffer;
  const ssize_t got = recv(pair.client.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return;
  pair.over = got <= 0 || !SendAll(pair.server.get(), buffer.data(), static_cast<size_t>(got));
}

void BreakingRelay::ToClient(Pair& pair, bool paced) {
  std::array<char, 4096> buffer;
  size_t most = buffer.size();
  if (Broken()) {
    if (way_.load() == BreakWay::kReset) {
      const linger now{1, 0};
      setsockopt(pair.client.get(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
      pair.over = true;
      return;
    }
    if (way_.load() == BreakWay::kStall || !paced) return;
    most = 1;
  } else if (broken_.load()) {
    most = std::min(most, static_cast<size_t>(left_.load()));
  }
  const ssize_t got = recv(pair.server.get(), buffer.data(), most, MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return;
  pair.over = got <= 0 || !SendAll(pair.client.get(), buffer.data(), static_cast<size_t>(got));
  if (got > 0 && broken_.load()) left_.fetch_sub(got);
}

void BreakingRelay::Run() {
  while (!stop_.load()) {
    const bool held = Broken() && way_.load() != BreakWay::kReset;
    std::vector<pollfd> polled = {{listener_.get(), POLLIN, 0}};
    for (const Pair& pair : pairs_) {
      polled.push_back({pair.client.get(), POLLIN, 0});
      polled.push_back({held ? -1 : pair.server.get(), POLLIN, 0});
    }
    const bool paced = poll(polled.data(), polled.size(), kPaceMilliseconds) == 0;
    size_t at = 1;
    for (Pair& pair : pairs_) {
      if (polled[at].revents != 0) ToServer(pair);
      if (!pair.over && (polled[at + 1].revents != 0 || (held && paced))) ToClient(pair, paced);
      at += 2;
    }
    pairs_.remove_if([](const Pair& pair) { return pair.over; });
    if (polled[0].revents != 0) Accept();
  }
}

}  // namespace spire_exporter::pg
