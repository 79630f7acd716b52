// Where the door and the workers leave things for each other: one place per worker.
#ifndef EXPORTER_HTTP_HANDOFF_H_
#define EXPORTER_HTTP_HANDOFF_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "exporter/base/clock.h"
#include "exporter/base/mutex.h"
#include "exporter/http/http_types.h"
#include "exporter/http/reply.h"

namespace spire_exporter {

// What the door knows of a request beside the fields that civetweb parses.
struct Ticket {
  const HttpRoute* route = nullptr;
  std::string method;
  std::string path;   // decoded
  std::string query;  // raw
  std::string peer;
  bool keep_alive = false;
  SteadyTime ready;  // when the request was complete
};

// Safe from any thread. The number of a place is what civetweb carries through as the peer's port,
// so it is never zero.
class Handoff {
 public:
  explicit Handoff(size_t places) : places_(places) {}

  // By the door, before the request goes to a worker.
  void Leave(uint16_t place, Ticket ticket) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    At(place) = Place{std::move(ticket), std::nullopt};
  }
  // By the worker. Empty if it was taken already, or never left.
  std::optional<Ticket> Take(uint16_t place) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (place == 0 || place > places_.size()) return std::nullopt;
    return std::exchange(At(place).ticket, std::nullopt);
  }
  // By the worker.
  void Answer(uint16_t place, Reply reply) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    At(place).reply = std::move(reply);
  }
  // By the door, when the worker has let go. Empty if it gave no answer.
  std::optional<Reply> Collect(uint16_t place) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    Place done = std::exchange(At(place), Place{});
    return std::move(done.reply);
  }

 private:
  struct Place {
    std::optional<Ticket> ticket;
    std::optional<Reply> reply;
  };
  Place& At(uint16_t place) REQUIRES(mutex_) { return places_[place - 1U]; }

  Mutex mutex_;
  std::vector<Place> places_ GUARDED_BY(mutex_);
};

}  // namespace spire_exporter

#endif  // EXPORTER_HTTP_HANDOFF_H_
