// Waiting for a descriptor within a deadline, ended at once by a stop request.
#ifndef COLLECTORS_CLIENTS_NET_WAITER_H_
#define COLLECTORS_CLIENTS_NET_WAITER_H_

#include <functional>
#include <optional>
#include <stop_token>
#include <string_view>

#include "exporter/base/clock.h"
#include "exporter/base/result.h"
#include "exporter/base/unique_fd.h"

namespace spire_exporter {

// Of one request; used by one thread. References outlive it.
class Waiter {
 public:
  Waiter(const Deadline& deadline, const Clock& clock, std::stop_token stop);

  // Until `fd` has one of the poll(2) events, or an error of its own, for the caller to find.
  // kDeadlineExceeded or kCancelled otherwise; `what` says what was waited for.
  Status Wait(int fd, short events, std::string_view what) const;
  // The same, but no later than `latest`.
  Status WaitUntil(int fd, short events, std::string_view what, const Deadline& latest) const;
  // kDeadlineExceeded or kCancelled when it is time to give up.
  Status Check(std::string_view what) const;

  const Deadline& deadline() const { return deadline_; }
  const Clock& clock() const { return clock_; }
  const std::stop_token& stop() const { return stop_; }

 private:
  const Deadline deadline_;
  const Clock& clock_;
  const std::stop_token stop_;
  UniqueFd wake_;  // an eventfd, readable once stop was requested
  std::optional<std::stop_callback<std::function<void()>>> on_stop_;
};

}  // namespace spire_exporter

#endif  // COLLECTORS_CLIENTS_NET_WAITER_H_
