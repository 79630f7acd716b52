#include "collectors/clients/postgres/session.h"

#include <sys/socket.h>

#include <algorithm>
#include <exception>
#include <random>
#include <utility>

#include "exporter/base/thread.h"

namespace spire_exporter::pg {
namespace {

constexpr Duration kBackoffInitial = std::chrono::seconds(1);
// A node that is well again, or is writable beside another, is named about this late.
constexpr Duration kBackoffMax = std::chrono::seconds(5);

Error Busy() {
  return {Code::kResourceExhausted, "the connection was busy with another reading", "", true};
}
Error TooLate() {
  return {Code::kDeadlineExceeded, "no answer in time", "", true};
}
Error Stopped() {
  return {Code::kCancelled, "stopped", "", true};
}

}  // namespace

// Shared by the caller and the session; its fields belong to the session's mutex.
struct Session::Ticket {
  Ticket(Job work, const JobLimits& bounds) : job(std::move(work)), limits(bounds) {}

  const Job job;
  const JobLimits limits;
  bool done = false;
  bool abandoned = false;
  Status status;
};

// Says of each statement that it runs, so that others than its caller can tell a server that hangs.
class Session::Watched final : public Connection {
 public:
  Watched(Session& session, ServerConnection& connection)
      : session_(session), connection_(connection) {}

  int version() const override { return connection_.version(); }
  Result<Rows> Query(std::string_view what, const std::string& statement) override {
    const Owing owing(session_);
    return connection_.Query(what, statement);
  }
  Status Stream(std::string_view what, const std::string& statement,
                const std::function<void(const Row&)>& visit) override {
    return connection_.Stream(what, statement, visit);
  }
  Result<bool> TryLock(int64_t key) override {
    const Owing owing(session_);
    return connection_.TryLock(key);
  }
  Status Unlock(int64_t key) override {
    const Owing owing(session_);
    return connection_.Unlock(key);
  }
  Status SetStatementTimeout(Duration timeout) {
    const Owing owing(session_);
    return connection_.SetStatementTimeout(timeout);
  }

 private:
  class Owing {
   public:
    explicit Owing(Session& session) : session_(session) { session.Owe(session.clock_.Steady()); }
    ~Owing() { session_.Owe(std::nullopt); }
    Owing(const Owing&) = delete;
    Owing& operator=(const Owing&) = delete;

   private:
    Session& session_;
  };

  Session& session_;
  ServerConnection& connection_;
};

Session::Session(std::string name, Connector connector, Duration connect_timeout,
                 const Clock& clock, Logger& logger)
    : name_(std::move(name)),
      connector_(std::move(connector)),
      connect_timeout_(connect_timeout),
      clock_(clock),
      logger_(logger),
      backoff_(kBackoffInitial, kBackoffMax, std::random_device{}()),
      thread_([this] { Run(); }) {}

Session::~Session() {
  stop_.request_stop();
  {
    MutexLock lock(mutex_);
    ending_ = true;
    ShutSocket();
    changed_.notify_all();
  }
  thread_.join();
}

std::shared_ptr<Session::Ticket> Session::Start(Job job, const JobLimits& limits) {
  auto ticket = std::make_shared<Ticket>(std::move(job), limits);
  MutexLock lock(mutex_);
  if (ending_) {
    ticket->done = true;
    ticket->status = Stopped();
    return ticket;
  }
  queue_.push_back(ticket);
  changed_.notify_all();
  return ticket;
}

Status Session::Finish(const std::shared_ptr<Ticket>& ticket,
                       const std::stop_token& stop) NO_THREAD_SAFETY_ANALYSIS {
  // The lock orders the notification after the check that the wait begins with.
  const std::stop_callback wake(stop, [this] {
    MutexLock lock(mutex_);
    changed_.notify_all();
  });
  mutex_.lock();
  while (!ticket->done && !stop.stop_requested() && !ticket->limits.deadline.Passed(clock_)) {
    changed_.wait_for(mutex_, ticket->limits.deadline.Remaining(clock_));
  }
  Status status;
  if (ticket->done) {
    status = ticket->status;
  } else if (const auto queued = std::find(queue_.begin(), queue_.end(), ticket);
             queued != queue_.end()) {
    queue_.erase(queued);
    status = stop.stop_requested() ? Stopped() : Busy();
  } else {
    ticket->abandoned = true;
    ShutSocket();
    status = stop.stop_requested() ? Stopped() : TooLate();
  }
  mutex_.unlock();
  return status;
}

SessionState Session::State() {
  MutexLock lock(mutex_);
  return state_;
}

void Session::ShutSocket() {
  if (fd_ >= 0) shutdown(fd_, SHUT_RDWR);
}

void Session::Run() NO_THREAD_SAFETY_ANALYSIS {
  NameThisThread("pg:" + name_);
  mutex_.lock();
  for (;;) {
    while (!ending_ && queue_.empty()) changed_.wait(mutex_);
    if (ending_) break;
    running_ = std::move(queue_.front());
    queue_.pop_front();
    const std::shared_ptr<Ticket> ticket = running_;
    mutex_.unlock();
    const Status status = Serve(*ticket);
    mutex_.lock();
    ticket->status = status;
    ticket->done = true;
    running_ = nullptr;
    changed_.notify_all();
  }
  for (const std::shared_ptr<Ticket>& ticket : queue_) {
    ticket->status = Stopped();
    ticket->done = true;
  }
  queue_.clear();
  changed_.notify_all();
  mutex_.unlock();
  Drop();
}

Status Session::Serve(Ticket& ticket) {
  const Deadline& deadline = ticket.limits.deadline;
  if (deadline.Passed(clock_)) return Busy();
  // Whole quarters of a second, so that the same question rarely needs a new setting.
  constexpr Duration kStep = std::chrono::milliseconds(250);
  const Duration timeout =
      std::min(ticket.limits.statement_timeout, (deadline.Remaining(clock_) / kStep + 1) * kStep);
  if (connection_ && !connection_->usable()) Drop();
  // A server that was started again is found out by the first statement, and then asked anew.
  if (!connection_ || !Watched(*this, *connection_).SetStatementTimeout(timeout).ok()) {
    Drop();
    if (const Status connected = Connect(deadline); !connected.ok()) return connected;
    if (const Status set = Watched(*this, *connection_).SetStatementTimeout(timeout); !set.ok()) {
      Drop();
      return set;
    }
  }
  // What a job throws is a bug of the job, not of the session: it shall not take the thread away.
  Status status;
  try {
    Watched watched(*this, *connection_);
    ticket.job(watched);
  } catch (const std::exception& error) {
    status = Error{Code::kInternal, error.what(), "", false};
  }
  bool abandoned = false;
  {
    MutexLock lock(mutex_);
    abandoned = ticket.abandoned;
  }
  if (abandoned || !connection_->usable()) Drop();
  if (abandoned && deadline.Passed(clock_)) {
    MutexLock lock(mutex_);
    Blame(TooLate());
  }
  return status;
}

Status Session::Connect(const Deadline& deadline) {
  if (next_connect_ && clock_.Steady() < *next_connect_) {
    MutexLock lock(mutex_);
    return *state_.problem;  // set whenever there is a next_connect_
  }
  const Deadline sooner(std::min(deadline.at(), Deadline::After(clock_, connect_timeout_).at()));
  const Waiter waiter(sooner, clock_, stop_.get_token());
  Result<std::unique_ptr<ServerConnection>> opened = connector_(waiter);
  Status status;
  if (opened.ok()) {
    connection_ = std::move(*opened);
    {
      MutexLock lock(mutex_);
      fd_ = connection_->fd();
      if (ending_) ShutSocket();
    }
    status = connection_->SetUp();
    if (!status.ok()) Drop();
  } else {
    status = opened.error();
  }
  MutexLock lock(mutex_);
  if (status.ok()) {
    next_connect_.reset();
    backoff_.Reset();
    state_.connected = true;
    state_.connected_since = clock_.Steady();
    ++state_.connects;
    if (state_.problem) logger_.Info("database node answers again", {{"node", name_}});
    state_.problem.reset();
    return {};
  }
  next_connect_ =
      clock_.Steady() + std::chrono::duration_cast<SteadyTime::duration>(backoff_.Next());
  ++state_.failures;
  Blame(status.error());
  return status;
}

void Session::Blame(const Error& problem) {
  if (!state_.problem) {
    logger_.Warn("database node does not answer", {{"node", name_}, {"error", problem.what}});
  }
  state_.problem = problem;
}

void Session::Owe(std::optional<SteadyTime> since) {
  MutexLock lock(mutex_);
  state_.owed_since = since;
}

void Session::Drop() {
  if (!connection_) return;
  {
    // The number may be another file's once the connection is closed.
    MutexLock lock(mutex_);
    ShutSocket();
    fd_ = -1;
    state_.connected = false;
    state_.connected_since.reset();
  }
  connection_.reset();
}

}  // namespace spire_exporter::pg
