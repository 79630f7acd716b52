#include "collectors/telemetry/ingest.h"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "collectors/telemetry/stream_families.h"
#include "exporter/base/text.h"

namespace spire_exporter::telemetry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// One and a half heartbeats without a line: the stream is off, or dead.
constexpr Duration kStreamQuiet = seconds(15);
constexpr Duration kTick = seconds(1);
// Of one socket before the next one's turn.
constexpr int kBatchesPerTurn = 16;
// Of a socket that is about to be closed: all that a default receive queue holds.
constexpr int kBatchesAtClose = 64;
constexpr size_t kEvents = 32;

Error SystemError(const char* what, int number) {
  return Error{Code::kResourceExhausted, std::string(what) + ": " + ErrnoText(number), "", true};
}

}  // namespace

Ingest::Ingest(const Clock& clock, Logger& logger)
    : clock_(clock),
      logger_(logger),
      store_(StoreOptions{}, clock),
      created_seconds_(UnixSeconds(clock.System())) {}

Ingest::~Ingest() {
  if (!thread_.joinable()) return;
  {
    const MutexLock lock(mutex_);
    mail_.stop = true;
  }
  Wake();
  thread_.join();
}

Status Ingest::Start() {
  epoll_.Reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_.valid()) return SystemError("cannot make an epoll instance", errno);
  event_.Reset(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!event_.valid()) return SystemError("cannot make an eventfd", errno);
  epoll_event interest = {};
  interest.events = EPOLLIN;
  interest.data.fd = event_.get();
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, event_.get(), &interest) != 0) {
    return SystemError("cannot watch an eventfd", errno);
  }
  try {
    thread_ = std::thread([this] { Run(); });
  } catch (const std::system_error& error) {
    return Error{Code::kResourceExhausted, std::string("cannot start a thread: ") + error.what(),
                 "", true};
  }
  return {};
}

void Ingest::Wake() {
  has_mail_.store(true, std::memory_order_relaxed);
  const uint64_t one = 1;
  // Full only when 2^64 - 2 wake-ups are unread, and then one more changes nothing.
  (void)!::write(event_.get(), &one, sizeof(one));
}

void Ingest::Configure(IngestOptions options) {
  {
    const MutexLock lock(mutex_);
    mail_.options = std::move(options);
  }
  Wake();
}

void Ingest::Deliver(PreparedPage page) {
  {
    const MutexLock lock(mutex_);
    mail_.page = std::move(page);
  }
  Wake();
}

bool Ingest::StreamSpeaks() const {
  const int64_t last = stream_last_ns_.load(std::memory_order_relaxed);
  if (last == 0) return false;
  return clock_.Steady().time_since_epoch() - std::chrono::nanoseconds(last) <= kStreamQuiet;
}

std::shared_ptr<const Snapshot> Ingest::Acquire(const Deadline& deadline) {
  uint64_t ticket = 0;
  bool first = false;
  {
    const MutexLock lock(mutex_);
    // A snapshot that has not been begun is as fresh as one of our own.
    ticket = begun_ + 1;
    first = requested_ < ticket;
    if (first) {
      requested_ = ticket;
      mail_.snapshot = ticket;
    }
  }
  if (first) Wake();
  const MutexLock lock(mutex_);
  answered_.wait_for(mutex_, deadline.Remaining(clock_),
                     [this, ticket]() NO_THREAD_SAFETY_ANALYSIS { return done_ >= ticket; });
  return latest_;
}

void Ingest::TakeSnapshot(uint64_t request) {
  {
    const MutexLock lock(mutex_);
    begun_ = request;
  }
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->taken = clock_.System();
  const SteadyTime now = clock_.Steady();
  store_.AppendFamilies(now, &snapshot->families);
  std::vector<ListenerView> views;
  views.reserve(listeners_.size());
  for (const std::unique_ptr<Listener>& listener : listeners_) {
    ListenerView view;
    view.address = listener->address().text;
    view.up = listener->up();
    view.kernel_drops = listener->KernelDropsTotal();
    view.counts = &listener->counts;
    view.created_seconds = listener->created_seconds;
    views.push_back(view);
  }
  AppendStreamFamilies(views, store_.State(), options_.scrape, clock_, created_seconds_,
                       &snapshot->families);
  std::shared_ptr<const Snapshot> old;  // freed outside of the lock
  {
    const MutexLock lock(mutex_);
    done_ = request;
    old = std::move(latest_);
    latest_ = std::move(snapshot);
  }
  answered_.notify_all();
}

bool Ingest::ReadMail() {
  has_mail_.store(false, std::memory_order_relaxed);
  Mail mail;
  {
    const MutexLock lock(mutex_);
    std::swap(mail, mail_);
    mail_.stop = mail.stop;
  }
  if (mail.stop) return false;
  if (mail.options) ApplyOptions(std::move(*mail.options));
  if (mail.page) page_ = std::move(mail.page);
  if (mail.snapshot != 0) TakeSnapshot(mail.snapshot);
  return true;
}

void Ingest::AnswerIfAsked() {
  uint64_t request = 0;
  {
    const MutexLock lock(mutex_);
    request = std::exchange(mail_.snapshot, 0);
  }
  if (request != 0) TakeSnapshot(request);
}

void Ingest::ApplyOptions(IngestOptions options) {
  store_.SetOptions(options.store);
  std::vector<std::unique_ptr<Listener>> old = std::move(listeners_);
  listeners_.clear();
  for (const ListenAddress& address : options.listen) {
    const auto same = std::find_if(old.begin(), old.end(), [&](const auto& listener) {
      return listener != nullptr && listener->address() == address &&
             listener->socket_mode() == options.socket_mode;
    });
    if (same != old.end()) {
      listeners_.push_back(std::move(*same));
    } else {
      listeners_.push_back(nullptr);
    }
  }
  // Before the new ones come: one of them may want the same place.
  old.clear();
  for (size_t i = 0; i < listeners_.size(); ++i) {
    if (listeners_[i] != nullptr) continue;
    listeners_[i] =
        std::make_unique<Listener>(options.listen[i], options.socket_mode, clock_, logger_);
  }
  options_ = std::move(options);
  Maintain(clock_.Steady());
}

void Ingest::Maintain(SteadyTime now) {
  for (const std::unique_ptr<Listener>& listener : listeners_) {
    const bool was_up = listener->up();
    const bool changed =
        listener->Maintain(now, [&](int fd) { ReadListener(*listener, fd, kBatchesAtClose); });
    if (was_up && (changed || !listener->up())) store_.NoteGap();
    if (!changed) continue;
    // A closed descriptor leaves the epoll instance by itself.
    epoll_event interest = {};
    interest.events = EPOLLIN;
    interest.data.fd = listener->fd();
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, listener->fd(), &interest) != 0) {
      listener->Fail(SystemError("cannot watch the socket", errno), now + kTick);
    }
  }
  if (now < next_tick_) return;
  next_tick_ = now + kTick;
  if (const std::optional<SteadyTime> last = store_.stream_last()) {
    const auto since = std::chrono::nanoseconds(last->time_since_epoch());
    stream_last_ns_.store(since.count(), std::memory_order_relaxed);
  }
  size_t clients = 0;
  std::optional<SteadyTime> replaced;
  for (const std::unique_ptr<Listener>& listener : listeners_) {
    listener->counts.ledger.Tick(now);
    clients += listener->counts.ledger.clients();
    if (listener->counts.ledger.replaced_at()) {
      replaced =
          std::max(replaced.value_or(SteadyTime::min()), *listener->counts.ledger.replaced_at());
    }
  }
  // With several clients nobody can say whose a state was.
  if (clients == 1 && replaced) store_.ForgetStatesBefore(*replaced);
}

void Ingest::ReadListener(Listener& listener, int fd, int batches) {
  for (int turn = 0; turn < batches; ++turn) {
    const Result<size_t> count = batch_.Receive(fd);
    const SteadyTime now = clock_.Steady();
    if (!count) {
      listener.Fail(count.error(), now);
      return;
    }
    const Arrival arrival{listener.drained, now};
    for (size_t i = 0; i < *count; ++i) {
      store_.Feed(batch_.datagram(i), batch_.truncated(i), arrival, &listener.counts);
      if (has_mail_.load(std::memory_order_relaxed)) AnswerIfAsked();
    }
    if (*count < DatagramBatch::kDatagrams) {
      listener.drained = now;
      return;
    }
    if (has_mail_.load(std::memory_order_relaxed)) return;
  }
}

void Ingest::ApplyDuePage(SteadyTime now) {
  if (!page_ || now < page_->received + kPageDelay) return;
  store_.ApplyPage(*page_);
  page_.reset();
}

int Ingest::WaitMs(SteadyTime now) const {
  SteadyTime until = next_tick_;
  if (page_) until = std::min(until, page_->received + kPageDelay);
  for (const std::unique_ptr<Listener>& listener : listeners_) {
    until = std::min(until, listener->next_check());
  }
  if (until <= now) return 0;
  return static_cast<int>(std::chrono::ceil<milliseconds>(until - now).count());
}

void Ingest::Run() {
  // Signals are the main thread's.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  pthread_setname_np(pthread_self(), "stream-ingest");

  std::array<epoll_event, kEvents> events{};
  for (;;) {
    const SteadyTime before = clock_.Steady();
    const int count =
        ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(kEvents), WaitMs(before));
    const SteadyTime now = clock_.Steady();
    if (count < 0 && errno != EINTR) {
      // Nothing can be read any more, and nobody else would notice.
      logger_.Error("cannot wait for datagrams", {{"error", ErrnoText(errno)}});
      return;
    }
    for (const std::unique_ptr<Listener>& listener : listeners_) {
      const bool ready =
          std::any_of(events.begin(), events.begin() + std::max(count, 0),
                      [&](const epoll_event& event) { return event.data.fd == listener->fd(); });
      if (ready) {
        ReadListener(*listener, listener->fd(), kBatchesPerTurn);
      } else {
        listener->drained = now;
      }
    }
    const bool woken =
        std::any_of(events.begin(), events.begin() + std::max(count, 0),
                    [&](const epoll_event& event) { return event.data.fd == event_.get(); });
    if (woken) {
      uint64_t wakes = 0;
      (void)!::read(event_.get(), &wakes, sizeof(wakes));
      if (!ReadMail()) break;
    }
    ApplyDuePage(now);
    Maintain(now);
  }
  listeners_.clear();
}

}  // namespace spire_exporter::telemetry
