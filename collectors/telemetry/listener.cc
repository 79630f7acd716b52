#include "collectors/telemetry/listener.h"

#include <utility>

namespace spire_exporter::telemetry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kCheckEvery = seconds(1);
constexpr Duration kRetryFirst = milliseconds(250);
constexpr Duration kRetryMax = seconds(5);

}  // namespace

Listener::Listener(ListenAddress address, mode_t socket_mode, const Clock& clock, Logger& logger)
    : drained(clock.Steady()),
      created_seconds(UnixSeconds(clock.System())),
      address_(std::move(address)),
      socket_mode_(socket_mode),
      clock_(clock),
      logger_(logger),
      backoff_(kRetryFirst, kRetryMax, std::hash<std::string>()(address_.text)) {}

Listener::~Listener() {
  RemoveSocketFile(address_, socket_);
}

std::optional<BoundSocket> Listener::CheckAndBind(SteadyTime now) {
  if (socket_.fd.valid() && up_) {
    if (!socket_.file || SocketFileAt(address_.path) == socket_.file) {
      next_check_ = now + kCheckEvery;
      return std::nullopt;
    }
    NoteDown(Error{Code::kNotFound, "the socket file is gone or is another's", "", true});
  }
  Result<BoundSocket> bound = BindDatagramSocket(address_, socket_mode_);
  if (!bound) {
    next_check_ = now + backoff_.Next();
    if (bound.error().what != last_problem_) {
      last_problem_ = bound.error().what;
      logger_.Warn("cannot listen for SPIRE's telemetry, keeps trying",
                   {{"listener", address_.text}, {"error", bound.error().what}});
    }
    return std::nullopt;
  }
  return std::move(bound).value();
}

void Listener::Adopt(BoundSocket fresh) {
  CountDrops();
  socket_ = std::move(fresh);
  drops_seen_ = 0;
  up_ = true;
  last_problem_.clear();
  backoff_.Reset();
  const SteadyTime now = clock_.Steady();
  drained = now;
  next_check_ = now + kCheckEvery;
  logger_.Info(ever_up_ ? "listening again" : "listening", {{"listener", address_.text}});
  ever_up_ = true;
}

void Listener::NoteDown(const Error& error) {
  if (up_) {
    logger_.Warn("listener down, binding again",
                 {{"listener", address_.text}, {"error", error.what}});
  }
  up_ = false;
}

void Listener::Fail(const Error& error, SteadyTime now) {
  NoteDown(error);
  CountDrops();
  // Its place would be taken by itself.
  RemoveSocketFile(address_, socket_);
  socket_ = BoundSocket();
  drops_seen_ = 0;
  next_check_ = now + backoff_.Next();
}

void Listener::CountDrops() {
  if (!socket_.fd.valid()) return;
  const std::optional<uint32_t> seen = KernelDrops(socket_.fd.get());
  drops_known_ = seen.has_value();
  if (!seen) return;
  drops_ += *seen - drops_seen_;  // modulo 2^32, as the kernel's counter
  drops_seen_ = *seen;
}

std::optional<uint64_t> Listener::KernelDropsTotal() {
  CountDrops();
  if (!drops_known_) return std::nullopt;
  return drops_;
}

}  // namespace spire_exporter::telemetry
