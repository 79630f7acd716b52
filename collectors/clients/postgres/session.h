// One connection to one address, on a thread of its own, so that a server that hangs stops nobody.
#ifndef COLLECTORS_CLIENTS_POSTGRES_SESSION_H_
#define COLLECTORS_CLIENTS_POSTGRES_SESSION_H_

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "collectors/clients/net/waiter.h"
#include "collectors/clients/postgres/connection.h"
#include "exporter/base/backoff.h"
#include "exporter/base/clock.h"
#include "exporter/base/logger.h"
#include "exporter/base/mutex.h"
#include "exporter/base/result.h"

namespace spire_exporter::pg {

// A connection as its session owns it. Used by the session's thread alone.
class ServerConnection : public Connection {
 public:
  // For poll(2) and shutdown(2).
  virtual int fd() const = 0;
  // False once it broke, or when it cannot be known to be in order; it is then thrown away.
  virtual bool usable() = 0;
  // Makes the session what Connection promises. Once, before the first job.
  virtual Status SetUp() = 0;
  virtual Status SetStatementTimeout(Duration timeout) = 0;
};

// Opens a connection. Called on the session's thread, at each connect anew.
using Connector = std::function<Result<std::unique_ptr<ServerConnection>>(const Waiter& waiter)>;

// How a job is to be run.
struct JobLimits {
  Deadline deadline;
  // What the server is told, so that nothing of ours goes on there after we have left. The time to
  // the deadline when that is shorter.
  Duration statement_timeout = std::chrono::seconds(3);
};

// What is known of the connection, for the status and the metrics. Value type.
struct SessionState {
  bool connected = false;
  std::optional<SteadyTime> connected_since;
  uint64_t connects = 0;  // that succeeded
  uint64_t failures = 0;  // connects that failed
  // The last failure to connect or to answer in time; absent once connected again.
  std::optional<Error> problem;
  // Since when the server owes an answer to a statement, whoever asked; absent when it owes none.
  // Reading row by row (Connection::Stream) does not count: it may take its time.
  std::optional<SteadyTime> owed_since;
};

// Jobs of all callers run one after the other. Safe from any thread.
class Session {
 public:
  // Must not keep references to what the caller may take away: when the caller has given up, the
  // job may still be running.
  using Job = std::function<void(Connection&)>;
  struct Ticket;

  // `name` is the node's, for the thread and the log.
  Session(std::string name, Connector connector, Duration connect_timeout, const Clock& clock,
          Logger& logger);
  // Breaks off what runs and waits for it.
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Queues a job. It connects first where there is no connection; while the back-off after a failed
  // connect lasts, jobs fail at once with that failure.
  std::shared_ptr<Ticket> Start(Job job, const JobLimits& limits);
  // Waits until the job has run, failed to get a connection, or the deadline has passed or stop was
  // requested. Then a job that runs is broken off by shutting the socket down (kDeadlineExceeded,
  // kCancelled) and one that has not begun, because another caller's was running, is taken back
  // (kResourceExhausted): that says nothing about the server.
  Status Finish(const std::shared_ptr<Ticket>& ticket, const std::stop_token& stop);

  SessionState State();

 private:
  class Watched;

  void Run();
  Status Serve(Ticket& ticket);
  Status Connect(const Deadline& deadline);
  void Drop();
  void Blame(const Error& problem) REQUIRES(mutex_);
  void Owe(std::optional<SteadyTime> since);
  void ShutSocket() REQUIRES(mutex_);

  const std::string name_;
  const Connector connector_;
  const Duration connect_timeout_;
  const Clock& clock_;
  Logger& logger_;
  Backoff backoff_;                               // the thread's
  std::unique_ptr<ServerConnection> connection_;  // the thread's
  std::optional<SteadyTime> next_connect_;        // the thread's

  std::stop_source stop_;  // breaks a connect off

  Mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::shared_ptr<Ticket>> queue_ GUARDED_BY(mutex_);
  std::shared_ptr<Ticket> running_ GUARDED_BY(mutex_);
  int fd_ GUARDED_BY(mutex_) = -1;  // of the connection; -1 when there is none to shut down
  bool ending_ GUARDED_BY(mutex_) = false;
  SessionState state_ GUARDED_BY(mutex_);

  std::thread thread_;  // last: runs while everything above lives
};

}  // namespace spire_exporter::pg

#endif  // COLLECTORS_CLIENTS_POSTGRES_SESSION_H_
