// A server with handlers that tests can look into and hold, for the wire tests.
#ifndef EXPORTER_HTTP_HTTP_TEST_SERVER_H_
#define EXPORTER_HTTP_HTTP_TEST_SERVER_H_

#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "exporter/base/clock.h"
#include "exporter/base/logger.h"
#include "exporter/base/mutex.h"
#include "exporter/http/http_server.h"

namespace spire_exporter {

// Answers with a fixed body and remembers the last request.
class FixedHandler final : public HttpHandler {
 public:
  explicit FixedHandler(std::string body)
      : body_(std::make_shared<const std::string>(std::move(body))) {}
  HttpResponse Handle(const HttpRequest& request) override {
    const MutexLock lock(mutex_);
    last_ = request;
    ++calls_;
    HttpResponse response;
    response.body = body_;
    response.headers = {{"X-Good", "yes"}, {"X-Bad", "a\r\nX-Injected: 1"}};
    return response;
  }
  HttpRequest last() {
    const MutexLock lock(mutex_);
    return last_;
  }
  int calls() {
    const MutexLock lock(mutex_);
    return calls_;
  }

 private:
  const std::shared_ptr<const std::string> body_;
  Mutex mutex_;
  HttpRequest last_ GUARDED_BY(mutex_);
  int calls_ GUARDED_BY(mutex_) = 0;
};

// Holds every request until it is opened.
class GateHandler final : public HttpHandler {
 public:
  HttpResponse Handle(const HttpRequest&) override {
    mutex_.lock();
    ++inside_;
    while (!open_) changed_.wait(mutex_);
    --inside_;
    mutex_.unlock();
    return HttpResponse::Text(200, "through\n");
  }
  void Open() {
    const MutexLock lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  int inside() {
    const MutexLock lock(mutex_);
    return inside_;
  }

 private:
  Mutex mutex_;
  std::condition_variable_any changed_;
  bool open_ = false;
  int inside_ = 0;
};

class ThrowingHandler final : public HttpHandler {
 public:
  HttpResponse Handle(const HttpRequest&) override { throw std::runtime_error("secret detail"); }
};

class RecordingObserver final : public HttpObserver {
 public:
  struct Seen {
    std::string label;
    int status;
    uint64_t bytes;
  };
  void OnRequest(const HttpRequestRecord& record) override {
    const MutexLock lock(mutex_);
    seen_.push_back({std::string(record.label), record.status, record.body_bytes});
  }
  std::vector<Seen> seen() {
    const MutexLock lock(mutex_);
    return seen_;
  }

 private:
  Mutex mutex_;
  std::vector<Seen> seen_ GUARDED_BY(mutex_);
};

// A directory that goes with its owner.
class TempDirectory {
 public:
  TempDirectory() {
    std::string pattern = "/tmp/http-test-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~TempDirectory() { [[maybe_unused]] const int r = std::system(("rm -rf " + path_).c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Routes /metrics (GET), /big (GET, 8 MiB), /gate (GET), /throw (GET), /-/reload (POST, PUT) and
// /-/healthy (GET, probe).
class TestServer {
 public:
  // `other_clock` outlives this; null takes the real one.
  explicit TestServer(HttpServerOptions options = {}, const Clock* other_clock = nullptr) {
    if (options.listen_addresses.empty()) options.listen_addresses = {"127.0.0.1:0"};
    std::vector<HttpRoute> routes = {
        {.path = "/metrics", .methods = {"GET"}, .handler = &metrics, .label = "metrics"},
        {.path = "/big", .methods = {"GET"}, .handler = &big, .label = "big"},
        {.path = "/gate", .methods = {"GET"}, .handler = &gate, .label = "gate"},
        {.path = "/throw", .methods = {"GET"}, .handler = &thrower, .label = "throw"},
        {.path = "/-/reload", .methods = {"POST", "PUT"}, .handler = &reload, .label = "reload"},
        {.path = "/-/healthy",
         .methods = {"GET"},
         .handler = &healthy,
         .label = "healthy",
         .probe = true},
    };
    server = std::make_unique<HttpServer>(std::move(options), std::move(routes),
                                          other_clock != nullptr ? *other_clock : clock, logger,
                                          &observer);
    status = server->Start();
  }
  ~TestServer() { gate.Open(); }

  std::string address() const { return server->addresses().at(0); }

  RealClock clock;
  NullLogger logger;
  RecordingObserver observer;
  FixedHandler metrics{"metric 1\n"};
  FixedHandler big{std::string(size_t{8} << 20, 'b')};
  GateHandler gate;
  ThrowingHandler thrower;
  FixedHandler reload{"reloaded\n"};
  FixedHandler healthy{"healthy\n"};
  std::unique_ptr<HttpServer> server;  // goes first: it uses all of the above
  Status status;
};

}  // namespace spire_exporter

#endif  // EXPORTER_HTTP_HTTP_TEST_SERVER_H_
