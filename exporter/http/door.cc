#include "exporter/http/door.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "exporter/base/text.h"
#include "exporter/http/peer_address.h"

namespace spire_exporter {
namespace {

constexpr int kAcceptsPerTurn = 64;
// Held for unfinished requests in all. A real request is a few hundred bytes.
constexpr size_t kMaxInputBytes = size_t{4} << 20;
// What the kernel may hold unsent for one TCP client beside what is on the wire.
constexpr int kUnsentInKernel = 128 * 1024;

Error SystemError(std::string_view what) {
  return Error{.code = Code::kResourceExhausted,
               .what = std::string(what) + ": " + ErrnoText(errno),
               .where = ""};
}

void TuneClient(int fd, int family) {
  if (family != AF_INET && family != AF_INET6) return;
  const int on = 1;
  // Answers go out in one or two writes; waiting for more to send only delays their tail.
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kUnsentInKernel, sizeof(kUnsentInKernel));
}

}  // namespace

Door::Door(const Parts& parts)
    : parts_(parts),
      table_(parts.options.max_connections, parts.options.max_connections_per_peer),
      errands_(parts.options.workers) {}

Door::~Door() = default;

Status Door::Watch(int fd, uint64_t tag) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = tag;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return SystemError("epoll_ctl");
  return {};
}

Status Door::Init(std::vector<Listener> listeners, std::vector<Listener> probe_listeners) {
  epoll_.Reset(epoll_create1(EPOLL_CLOEXEC));
  stop_.Reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  reserve_.Reset(open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!epoll_.valid() || !stop_.valid()) return SystemError("cannot make the event loop");
  for (Listener& one : listeners) listeners_.push_back({std::move(one), false});
  for (Listener& one : probe_listeners) listeners_.push_back({std::move(one), true});
  for (size_t i = 0; i < listeners_.size(); ++i) {
    Status watched = Watch(listeners_[i].listener.fd(), kListenerTag | i);
    if (!watched) return watched;
  }
  if (parts_.options.gate != nullptr) {
    Status watched = Watch(parts_.options.gate->ready_fd(), kGateTag);
    if (!watched) return watched;
  }
  return Watch(stop_.get(), kStopTag);
}

void Door::Run() {
  std::array<epoll_event, 64> events;
  for (;;) {
    const int count =
        epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), WaitMs());
    now_ = parts_.clock.Steady();
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<size_t>(i)];
      HandleEvent(event.data.u64, event.events);
    }
    StepDue();
    StartRequests();
    KeepBudgets();
    Expire();
    if (draining_ && (Drained() || now_ >= drain_until_)) break;
  }
  table_.ForEach([this](Connection& connection) { Close(connection); });
}

void Door::RequestStop() {
  const uint64_t one = 1;
  // Cannot fail: the counter is nowhere near its limit.
  [[maybe_unused]] const ssize_t written = write(stop_.get(), &one, sizeof(one));
}

int Door::WaitMs() const {
  if (due_.size() != 0) return 0;
  const SteadyTime until = draining_ ? std::min(next_deadline_, drain_until_) : next_deadline_;
  return until == SteadyTime::max() ? -1 : Deadline(until).RemainingPollMs(parts_.clock);
}

void Door::HandleEvent(uint64_t tag, uint32_t events) {
  const uint64_t number = tag & ~kKindMask;
  switch (tag & kKindMask) {
    case kStopTag:
      if (tag == kGateTag) {
        OnGateReady();
      } else if (!draining_) {
        BeginDrain();
      }
      return;
    case kListenerTag:
      if (!draining_) Accept(listeners_[number]);
      return;
    case kWorkerTag:
      OnWorkerDone(static_cast<uint16_t>(number));
      return;
    default:
      break;
  }
  Connection* const connection = table_.Find(tag);
  // Gone earlier in this turn.
  if (connection == nullptr) return;
  const bool over = (events & (EPOLLERR | EPOLLHUP)) != 0;
  if (over && (connection->state != Connection::State::kWaiting || connection->parked)) {
    Close(*connection);  // broken, or closed both ways: nobody is left to answer
  } else if (connection->state == Connection::State::kWriting) {
    Advance(*connection);
  } else if (connection->state == Connection::State::kLingering) {
    Discard(*connection);
  } else if (connection->state == Connection::State::kWaiting && !connection->parked) {
    QueueStep(*connection);
  }
}

void Door::Accept(Entrance& from) {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    UniqueFd fd(accept4(from.listener.fd(), reinterpret_cast<sockaddr*>(&address), &size,
                        SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd.valid()) {
      if (errno == EMFILE || errno == ENFILE) HandleNoDescriptors(from.listener.fd());
      // ECONNABORTED and the like concern one client; the next turn brings the others.
      return;
    }
    AcceptOne(std::move(fd), address, from.probe);
  }
}

void Door::AcceptOne(UniqueFd fd, const sockaddr_storage& address, bool probe) {
  const PeerAddress peer = DescribePeer(fd.get(), address);
  const ConnectionTable::Room room = table_.FindRoom(peer.key, now_);
  switch (room.kind) {
    case ConnectionTable::Room::Kind::kRefuse: {
      refused_.Add();
      if (!probe && parts_.options.tls != nullptr) return;  // it could not be read
      const Reply reply = parts_.dispatcher.Refuse(RefusalResponse(503), false, false);
      // A fresh socket takes this much, and if not: it was only a courtesy.
      Stream(std::move(fd)).Write(reply.head, *reply.body);
      return;
    }
    case ConnectionTable::Room::Kind::kEvictForPeer:
      evicted_for_peer_.Add();
      Close(*room.victim);
      break;
    case ConnectionTable::Room::Kind::kEvictForTotal:
      evicted_for_total_.Add();
      Close(*room.victim);
      break;
    case ConnectionTable::Room::Kind::kFree:
      break;
  }
  TuneClient(fd.get(), address.ss_family);
  const int number = fd.get();
  Stream stream = probe || parts_.options.tls == nullptr
                      ? Stream(std::move(fd))
                      : Stream(std::move(fd), *parts_.options.tls);
  Connection& connection = table_.Add(std::move(stream), peer.key, peer.name, probe, limits_, now_);
  accepted_.Add();
  if (!Watch(number, kConnectionTag | connection.id)) {
    Close(connection);
    return;
  }
  connection.watched = EPOLLIN;
  SetDeadline(connection, parts_.options.request_timeout);
}

// Without this the listener would stay readable and the loop would spin.
void Door::HandleNoDescriptors(int listener_fd) {
  // The kernel looks for a descriptor first: it says the same when nobody is at the door.
  pollfd pending{listener_fd, POLLIN, 0};
  if (poll(&pending, 1, 0) <= 0) return;
  Connection* const victim = table_.FindVictim(now_);
  if (victim != nullptr) {
    evicted_for_total_.Add();
    Close(*victim);
    return;
  }
  refused_.Add();
  reserve_.Reset();
  UniqueFd(accept4(listener_fd, nullptr, nullptr, SOCK_CLOEXEC)).Reset();
  reserve_.Reset(open("/dev/null", O_RDONLY | O_CLOEXEC));
}

void Door::Expire() {
  if (now_ < next_deadline_) return;
  next_deadline_ = SteadyTime::max();
  table_.ForEach([this](Connection& connection) {
    if (connection.deadline <= now_) {
      OnDeadline(connection);
    } else {
      next_deadline_ = std::min(next_deadline_, connection.deadline);
    }
  });
}

void Door::OnDeadline(Connection& connection) {
  switch (connection.state) {
    case Connection::State::kWaiting:
      if (connection.stream.handshaking()) {
        tls_timeouts_.Add();
        break;
      }
      if (connection.parked) {
        too_many_.Add();
        connection.parked = false;
        Refuse(connection, RefusalResponse(503), false);
        Advance(connection);
        return;
      }
      if (!connection.head_done && connection.input.empty()) {
        idle_timeouts_.Add();
        break;
      }
      request_timeouts_.Add();
      Refuse(connection, RefusalResponse(408), false);
      Advance(connection);
      return;
    case Connection::State::kWriting:
      write_timeouts_.Add();
      break;
    case Connection::State::kQueued:
      too_many_.Add();
      ready_.Remove(connection);
      Refuse(connection, RefusalResponse(503), connection.ticket.keep_alive);
      Advance(connection);
      return;
    case Connection::State::kLingering:
    case Connection::State::kRunning:
      break;
  }
  Close(connection);
}

void Door::KeepBudgets() {
  while (input_bytes_ > kMaxInputBytes) {
    Connection* largest = nullptr;
    table_.ForEach([&largest](Connection& one) {
      if (one.state == Connection::State::kWaiting &&
          (largest == nullptr || one.input.size() > largest->input.size())) {
        largest = &one;
      }
    });
    if (largest == nullptr) break;
    evicted_for_total_.Add();
    Close(*largest);
  }
  while (unsent_bytes_.Get() > parts_.options.max_unsent_bytes &&
         table_.Count(Connection::State::kWriting) > 1) {
    Connection* oldest = nullptr;
    table_.ForEach([&oldest](Connection& one) {
      if (one.state == Connection::State::kWriting &&
          (oldest == nullptr || one.since < oldest->since)) {
        oldest = &one;
      }
    });
    evicted_for_bytes_.Add();
    Close(*oldest);
  }
}

void Door::BeginDrain() {
  draining_ = true;
  drain_until_ = now_ + parts_.options.drain_timeout;
  listeners_.clear();
  table_.ForEach([this](Connection& connection) {
    if (connection.state == Connection::State::kWaiting ||
        connection.state == Connection::State::kLingering) {
      Close(connection);
    }
  });
  uint64_t count = 0;
  // Only so that the descriptor is quiet again.
  [[maybe_unused]] const ssize_t got = read(stop_.get(), &count, sizeof(count));
}

bool Door::Drained() const {
  return table_.size() == 0;
}

HttpStats Door::Stats() const {
  HttpStats stats;
  stats.accepted = accepted_.Get();
  stats.waiting = table_.Count(Connection::State::kWaiting);
  stats.queued = table_.Count(Connection::State::kQueued);
  stats.running = table_.Count(Connection::State::kRunning);
  stats.writing =
      table_.Count(Connection::State::kWriting) + table_.Count(Connection::State::kLingering);
  stats.unsent_bytes = unsent_bytes_.Get();
  stats.rejections.evicted_for_peer = evicted_for_peer_.Get();
  stats.rejections.evicted_for_total = evicted_for_total_.Get();
  stats.rejections.evicted_for_bytes = evicted_for_bytes_.Get();
  stats.rejections.refused = refused_.Get();
  stats.rejections.request_timeout = request_timeouts_.Get();
  stats.rejections.idle_timeout = idle_timeouts_.Get();
  stats.rejections.write_timeout = write_timeouts_.Get();
  stats.rejections.malformed = malformed_.Get();
  stats.rejections.too_large = too_large_.Get();
  stats.rejections.too_many_requests = too_many_.Get();
  stats.rejections.tls_failed = tls_failed_.Get();
  stats.rejections.tls_timeout = tls_timeouts_.Get();
  stats.rejections.denied = denied_.Get();
  return stats;
}

}  // namespace spire_exporter
