#include "exporter/http/http_server.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <thread>
#include <utility>

#include "exporter/base/text.h"
#include "exporter/http/civetweb_engine.h"
#include "exporter/http/dispatcher.h"
#include "exporter/http/door.h"
#include "exporter/http/handoff.h"
#include "exporter/http/listen_address.h"
#include "exporter/http/listener.h"
#include "exporter/http/router.h"

namespace spire_exporter {
namespace {

constexpr size_t kMaxWorkers = 16;
// Descriptors that the rest of the program may need while all places for clients are taken.
constexpr size_t kReservedDescriptors = 128;

HttpServerOptions Bounded(HttpServerOptions options) {
  options.workers = std::clamp<size_t>(options.workers, 1, kMaxWorkers);
  options.max_requests = std::max<size_t>(options.max_requests, 1);
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    const size_t all = static_cast<size_t>(limit.rlim_cur);
    const size_t ours = all > 2 * kReservedDescriptors ? all - kReservedDescriptors : all / 2;
    options.max_connections = std::min(options.max_connections, ours);
  }
  options.max_connections = std::max<size_t>(options.max_connections, 1);
  options.max_connections_per_peer = std::max<size_t>(options.max_connections_per_peer, 1);
  return options;
}

Result<std::vector<Listener>> OpenAll(const std::vector<std::string>& texts,
                                      std::string_view flag) {
  std::vector<Listener> all;
  for (const std::string& text : texts) {
    const std::string at = std::string(flag) + "=" + text + ": ";
    const Result<ListenAddress> address = ParseListenAddress(text);
    if (!address) {
      return Error{.code = address.error().code,
                   .what = std::string(flag) + "=" + address.error().what,
                   .where = ""};
    }
    Result<std::vector<Listener>> some = Listener::Open(*address);
    if (!some) return Error{.code = some.error().code, .what = at + some.error().what, .where = ""};
    for (Listener& one : *some) all.push_back(std::move(one));
  }
  return all;
}

// LISTEN_FDS sockets from descriptor 3 on, if they are for the process LISTEN_PID.
Result<std::vector<Listener>> AdoptSystemdSockets() {
  constexpr int kFirst = 3;
  constexpr int kMost = 64;
  const auto number = [](const char* name) {
    const char* const text = std::getenv(name);
    return text == nullptr ? 0 : std::atoi(text);
  };
  const int count = number("LISTEN_FDS");
  if (number("LISTEN_PID") != getpid() || count < 1 || count > kMost) {
    return Error{Code::kFailedPrecondition,
                 "--web.systemd-socket: systemd has passed no socket: start it by a .socket unit",
                 "", false};
  }
  std::vector<Listener> all;
  for (int fd = kFirst; fd < kFirst + count; ++fd) {
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    Result<Listener> one = Listener::Adopt(UniqueFd(fd));
    if (!one) {
      return Error{
          one.error().code,
          "--web.systemd-socket: descriptor " + std::to_string(fd) + ": " + one.error().what, "",
          false};
    }
    all.push_back(std::move(*one));
  }
  return all;
}

std::vector<std::string> Addresses(const std::vector<Listener>& listeners) {
  std::vector<std::string> addresses;
  for (const Listener& one : listeners) addresses.push_back(one.address());
  return addresses;
}

}  // namespace

// In order of construction: each uses those above it.
struct HttpServer::Running {
  Running(const HttpServer& server)
      : router(server.routes_),
        handoff(server.options_.workers),
        dispatcher(handoff, server.clock_, server.logger_, server.observer_, server.options_.gate) {
  }

  Router router;
  Handoff handoff;
  Dispatcher dispatcher;
  std::unique_ptr<CivetwebEngine> engine;
  std::unique_ptr<Door> door;
  std::thread thread;
  std::vector<std::string> addresses;
  std::vector<std::string> probe_addresses;
};

HttpServer::HttpServer(HttpServerOptions options, std::vector<HttpRoute> routes, const Clock& clock,
                       Logger& logger, HttpObserver* observer)
    : options_(Bounded(std::move(options))),
      routes_(std::move(routes)),
      clock_(clock),
      logger_(logger),
      observer_(observer) {}

HttpServer::~HttpServer() {
  Stop();
}

Status HttpServer::Start() {
  Result<std::vector<Listener>> listeners =
      options_.systemd_sockets ? AdoptSystemdSockets()
                               : OpenAll(options_.listen_addresses, "--web.listen-address");
  if (!listeners) return listeners.error();
  Result<std::vector<Listener>> probes =
      OpenAll(options_.probe_listen_addresses, "--web.probe-listen-address");
  if (!probes) return probes.error();

  auto running = std::make_unique<Running>(*this);
  running->addresses = Addresses(*listeners);
  running->probe_addresses = Addresses(*probes);
  Result<std::unique_ptr<CivetwebEngine>> engine =
      CivetwebEngine::Start(options_.workers, running->dispatcher, logger_);
  if (!engine) return engine.error();
  running->engine = std::move(*engine);
  running->door = std::make_unique<Door>(Door::Parts{
      options_, running->router, running->handoff, *running->engine, running->dispatcher, clock_});
  const Status ready = running->door->Init(std::move(*listeners), std::move(*probes));
  if (!ready) return ready;
  running->thread = std::thread([door = running->door.get()] { door->Run(); });
  running_ = std::move(running);
  return {};
}

void HttpServer::Stop() {
  if (running_ == nullptr) return;
  running_->door->RequestStop();
  running_->thread.join();
  running_->engine->Stop();
  running_.reset();
}

std::vector<std::string> HttpServer::addresses() const {
  return running_ == nullptr ? std::vector<std::string>() : running_->addresses;
}

std::vector<std::string> HttpServer::probe_addresses() const {
  return running_ == nullptr ? std::vector<std::string>() : running_->probe_addresses;
}

HttpStats HttpServer::Stats() const {
  return running_ == nullptr ? HttpStats() : running_->door->Stats();
}

}  // namespace spire_exporter
