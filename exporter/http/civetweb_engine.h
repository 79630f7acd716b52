// civetweb as what it is good at: a pool of worker threads that parse a request and call us back.
// It never sees a client's socket; civetweb.h is included by the .cc alone.
#ifndef EXPORTER_HTTP_CIVETWEB_ENGINE_H_
#define EXPORTER_HTTP_CIVETWEB_ENGINE_H_

#include <cstdint>
#include <memory>
#include <string_view>

#include "exporter/base/logger.h"
#include "exporter/base/result.h"
#include "exporter/base/unique_fd.h"
#include "exporter/http/http_types.h"

namespace spire_exporter {

class CivetwebEngine {
 public:
  // Called on worker threads, at most one of the two per request.
  class Sink {
   public:
    virtual ~Sink() = default;
    // A parsed request. `place` is the number given to Hand().
    virtual void OnRequest(uint16_t place, HttpFields fields) = 0;
    // civetweb would not take the request.
    virtual void OnBroken(uint16_t place) = 0;
  };

  // Starts `workers` threads and civetweb's master. `sink` and `logger` must outlive the engine.
  static Result<std::unique_ptr<CivetwebEngine>> Start(size_t workers, Sink& sink, Logger& logger);
  ~CivetwebEngine();
  CivetwebEngine(const CivetwebEngine&) = delete;
  CivetwebEngine& operator=(const CivetwebEngine&) = delete;

  // Gives a whole request of at most 20 KiB to a worker, without blocking. The descriptor reads as
  // closed once the worker has let go of the request. Called by one thread.
  Result<UniqueFd> Hand(std::string_view request, uint16_t place);

  // Waits for the running callbacks, then ends all threads. Safe to call again.
  void Stop();

 private:
  struct Callbacks;

  CivetwebEngine(Sink& sink, Logger& logger) : sink_(sink), logger_(logger) {}

  Sink& sink_;
  Logger& logger_;
  UniqueFd wake_;            // our end; the other one stands in for civetweb's listening socket
  void* context_ = nullptr;  // struct mg_context, owned
};

}  // namespace spire_exporter

#endif  // EXPORTER_HTTP_CIVETWEB_ENGINE_H_
