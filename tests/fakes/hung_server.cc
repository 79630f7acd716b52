#include "tests/fakes/hung_server.h"

#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <vector>

namespace spire_exporter::fakes {

Result<std::unique_ptr<HungServer>> HungServer::Start(const std::string& address, HangWay way,
                                                      Duration drip_interval) {
  Result<UniqueFd> listener = ListenStream(address);
  if (!listener.ok()) return std::move(listener).error();
  UniqueFd stop(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  std::unique_ptr<HungServer> server(
      new HungServer(std::move(listener).value(), std::move(stop), way, drip_interval));
  if (way == HangWay::kNoAccept) {
    const Status filled = server->backlog_.Fill(server->listener_.get());
    if (!filled.ok()) return filled.error();
  } else {
    server->thread_ = std::thread([raw = server.get()] { raw->Run(); });
  }
  return server;
}

HungServer::HungServer(UniqueFd listener, UniqueFd stop, HangWay way, Duration drip_interval)
    : listener_(std::move(listener)),
      stop_(std::move(stop)),
      address_(ListenAddress(listener_.get())),
      peers_(way, drip_interval) {}

HungServer::~HungServer() {
  if (!thread_.joinable()) return;
  const uint64_t one = 1;
  // Cannot fail: the counter of the eventfd is at zero.
  [[maybe_unused]] const ssize_t written = ::write(stop_.get(), &one, sizeof(one));
  thread_.join();
}

int HungServer::port() const {
  if (address_.compare(0, 5, "unix:") == 0) return 0;
  return std::atoi(address_.c_str() + address_.rfind(':') + 1);
}

void HungServer::AcceptAll(SteadyTime now) {
  for (;;) {
    UniqueFd connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!connection.valid()) return;
    accepted_.fetch_add(1, std::memory_order_relaxed);
    peers_.Adopt(std::move(connection), now);
  }
}

void HungServer::Run() {
  std::vector<pollfd> fds;
  for (;;) {
    fds.clear();
    fds.push_back(pollfd{stop_.get(), POLLIN, 0});
    fds.push_back(pollfd{listener_.get(), POLLIN, 0});
    peers_.AppendPoll(&fds);
    int timeout_ms = -1;
    if (peers_.next_due() != SteadyTime::max()) {
      timeout_ms = Deadline(peers_.next_due()).RemainingPollMs(clock_);
    }
    ::poll(fds.data(), fds.size(), timeout_ms);
    if (fds[0].revents != 0) return;
    const SteadyTime now = clock_.Steady();
    if (fds[1].revents != 0) AcceptAll(now);
    peers_.Pump(now);
    open_.store(peers_.size(), std::memory_order_relaxed);
  }
}

}  // namespace spire_exporter::fakes
