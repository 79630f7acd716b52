#include "collectors/telemetry/ingest.h"

#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <system_error>

#include "exporter/base/text.h"

namespace spire_exporter::telemetry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kTick = seconds(1);
// Of one socket before the next one's turn.
constexpr int kBatchesPerTurn = 16;
// Of a socket that is about to be closed: all that a default receive queue holds.
constexpr int kBatchesAtClose = 64;
constexpr size_t kEvents = 32;

constexpr int kBatchesToAnswer = 8;
constexpr int kBatchesAfterNap = kNapDatagrams / DatagramBatch::kDatagrams;

Error SystemError(const char* what, int number) {
  return Error{Code::kResourceExhausted, std::string(what) + ": " + ErrnoText(number), "", true};
}

bool Has(std::span<const epoll_event> events, int fd) {
  return std::any_of(events.begin(), events.end(),
                     [fd](const epoll_event& event) { return event.data.fd == fd; });
}

bool Watch(int epoll, int fd) {
  epoll_event interest = {};
  interest.events = EPOLLIN;
  interest.data.fd = fd;
  return ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &interest) == 0;
}

}  // namespace

Ingest::Ingest(const Clock& clock, Logger& logger, AgentWatch* watch)
    : clock_(clock),
      logger_(logger),
      watch_(watch),
      store_(StoreOptions{}, clock),
      created_seconds_(UnixSeconds(clock.System())) {
  store_.SetTap(watch);
}

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
  event_.Reset(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!event_.valid()) return SystemError("cannot make an eventfd", errno);
  for (UniqueFd* const epoll : {&epoll_, &quiet_epoll_}) {
    epoll->Reset(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll->valid()) return SystemError("cannot make an epoll instance", errno);
    if (!Watch(epoll->get(), event_.get())) return SystemError("cannot watch an eventfd", errno);
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
  for (;;) {
    {
      const MutexLock lock(mutex_);
      answered_.wait_for(mutex_, deadline.Remaining(clock_),
                         [this, ticket]() NO_THREAD_SAFETY_ANALYSIS {
                           return made_ >= ticket || frozen_ != nullptr;
                         });
      // Nothing to be made: the deadline has passed.
      if (made_ >= ticket || frozen_ == nullptr) return latest_;
    }
    MakeSnapshot();
  }
}

void Ingest::Freeze(uint64_t request) {
  std::unique_ptr<Frozen> frozen;
  bool forgotten = false;
  {
    const MutexLock lock(mutex_);
    begun_ = request;
    forgotten = frozen_ != nullptr;
    frozen = std::move(forgotten ? frozen_ : spare_);
  }
  // Whoever asked for it has not come for it yet, and will take this one.
  if (forgotten) store_.ForgetFrozen();
  if (frozen == nullptr) frozen = std::make_unique<Frozen>();
  frozen->request = request;
  StreamState& stream = frozen->stream;
  stream.taken = clock_.System();
  stream.now = clock_.Steady();
  store_.Freeze(stream.now, &frozen->store);
  stream.listeners.clear();
  for (const std::unique_ptr<Listener>& listener : listeners_) {
    stream.listeners.push_back({listener->address().text, listener->up(),
                                listener->KernelDropsTotal(), listener->counts,
                                listener->created_seconds});
  }
  stream.scrape_configured = options_.scrape;
  stream.created_seconds = created_seconds_;
  {
    const MutexLock lock(mutex_);
    frozen_ = std::move(frozen);
  }
  answered_.notify_all();
}

void Ingest::MakeSnapshot() {
  const MutexLock making(making_);
  std::unique_ptr<Frozen> frozen;
  {
    const MutexLock lock(mutex_);
    frozen = std::move(frozen_);
  }
  if (frozen == nullptr) return;
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->taken = frozen->stream.taken;
  maker_.Append(frozen->store, &snapshot->families);
  AppendStreamFamilies(frozen->stream, frozen->store.state, &snapshot->families);
  std::shared_ptr<const Snapshot> old;  // freed outside of the lock
  {
    const MutexLock lock(mutex_);
    made_ = frozen->request;
    spare_ = std::move(frozen);
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
  // Each waits its own delay: pages come faster than that.
  if (mail.page && pages_.size() == kPagesMax) pages_.pop_back();
  if (mail.page) pages_.push_back(*std::move(mail.page));
  if (mail.snapshot != 0) {
    // It may be of after the sockets were looked at.
    ReadArrived();
    Freeze(mail.snapshot);
  }
  return true;
}

void Ingest::AnswerIfAsked() {
  uint64_t request = 0;
  {
    const MutexLock lock(mutex_);
    request = std::exchange(mail_.snapshot, 0);
  }
  if (request != 0) Freeze(request);
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
    const bool changed = listener->Maintain(
        now, [&](int fd) { ReadListener(*listener, fd, kBatchesAtClose, false); });
    if (was_up && (changed || !listener->up())) store_.NoteGap();
    if (!changed) continue;
    // A closed descriptor leaves the epoll instances by itself.
    if (!Watch(epoll_.get(), listener->fd()) ||
        (listener->address().is_unix() && !Watch(quiet_epoll_.get(), listener->fd()))) {
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
  AgentWatch::StreamState stream;
  stream.last = store_.stream_last();
  for (const std::unique_ptr<Listener>& listener : listeners_) {
    listener->counts.ledger.Tick(now);
    stream.Add(listener->address().is_unix(), listener->counts.ledger);
    clients += listener->counts.ledger.clients();
    if (listener->counts.ledger.replaced_at()) {
      replaced =
          std::max(replaced.value_or(SteadyTime::min()), *listener->counts.ledger.replaced_at());
    }
  }
  // With several clients nobody can say whose a state was.
  if (clients == 1 && replaced) store_.ForgetStatesBefore(*replaced);
  if (watch_ != nullptr) watch_->OnStream(stream);
}

size_t Ingest::ReadListener(Listener& listener, int fd, int batches, bool answer) {
  size_t datagrams = 0;
  for (int turn = 0; turn < batches; ++turn) {
    const Result<size_t> count = batch_.Receive(fd);
    const SteadyTime now = clock_.Steady();
    if (!count) {
      listener.Fail(count.error(), now);
      return datagrams;
    }
    const Arrival arrival{listener.drained, now};
    for (size_t i = 0; i < *count; ++i) {
      store_.Feed(batch_.datagram(i), batch_.truncated(i), arrival, &listener.counts);
      if (answer && has_mail_.load(std::memory_order_relaxed)) AnswerIfAsked();
    }
    datagrams += *count;
    if (*count < DatagramBatch::kDatagrams) {
      listener.drained = now;
      return datagrams;
    }
    if (answer && has_mail_.load(std::memory_order_relaxed)) return datagrams;
  }
  return datagrams;
}

void Ingest::ReadArrived() {
  for (const std::unique_ptr<Listener>& listener : listeners_) {
    if (listener->fd() >= 0) (void)ReadListener(*listener, listener->fd(), kBatchesToAnswer, false);
  }
}

size_t Ingest::ReadListeners(std::span<const epoll_event> events, SteadyTime now) {
  const bool napped = nap_ms_ != 0;
  size_t datagrams = 0;
  for (const std::unique_ptr<Listener>& listener : listeners_) {
    if (!listener->address().is_unix() && napped && listener->fd() >= 0) {
      // All that a nap is meant to gather, so that a request that ended it is told of it.
      datagrams += ReadListener(*listener, listener->fd(), kBatchesAfterNap, false);
    } else if (Has(events, listener->fd())) {
      const size_t read = ReadListener(*listener, listener->fd(), kBatchesPerTurn, true);
      if (!listener->address().is_unix()) datagrams += read;
    } else {
      listener->drained = now;
    }
  }
  return datagrams;
}

void Ingest::ChooseNap(size_t datagrams, SteadyTime now) {
  size_t buffer = std::numeric_limits<size_t>::max();
  for (const std::unique_ptr<Listener>& listener : listeners_) {
    if (listener->address().is_unix() || listener->fd() < 0) continue;
    buffer = std::min(buffer, listener->receive_buffer());
  }
  nap_ms_ = nap_.AfterTurn(datagrams, now, buffer);
}

void Ingest::ApplyDuePage(SteadyTime now) {
  for (; !pages_.empty() && now >= pages_.front().received + kPageDelay; pages_.pop_front()) {
    store_.ApplyPage(pages_.front());
    if (watch_ != nullptr) watch_->OnPage(pages_.front());
  }
}

int Ingest::WaitMs(SteadyTime now) const {
  SteadyTime until = next_tick_;
  if (!pages_.empty()) until = std::min(until, pages_.front().received + kPageDelay);
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

  std::array<epoll_event, kEvents> buffer{};
  for (;;) {
    const bool napping = nap_ms_ != 0;
    const int count =
        ::epoll_wait(napping ? quiet_epoll_.get() : epoll_.get(), buffer.data(),
                     static_cast<int>(kEvents), napping ? nap_ms_ : WaitMs(clock_.Steady()));
    const SteadyTime now = clock_.Steady();
    if (count < 0 && errno != EINTR) {
      // Nothing can be read any more, and nobody else would notice.
      logger_.Error("cannot wait for datagrams", {{"error", ErrnoText(errno)}});
      return;
    }
    const std::span<const epoll_event> events(buffer.data(),
                                              static_cast<size_t>(std::max(count, 0)));
    ChooseNap(ReadListeners(events, now), now);
    if (Has(events, event_.get())) {
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
