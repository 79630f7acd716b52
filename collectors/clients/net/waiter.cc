#include "collectors/clients/net/waiter.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "exporter/base/text.h"

namespace spire_exporter {

Waiter::Waiter(const Deadline& deadline, const Clock& clock, std::stop_token stop)
    : deadline_(deadline),
      clock_(clock),
      stop_(std::move(stop)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  on_stop_.emplace(stop_, [fd = wake_.get()] {
    if (fd >= 0) eventfd_write(fd, 1);
  });
}

Status Waiter::Check(std::string_view what) const {
  if (stop_.stop_requested()) {
    return Error{Code::kCancelled, std::string(what) + ": stopped", "", true};
  }
  if (deadline_.Passed(clock_)) {
    return Error{Code::kDeadlineExceeded, std::string(what) + ": no answer in time", "", true};
  }
  return {};
}

Status Waiter::Wait(int fd, short events, std::string_view what) const {
  return WaitUntil(fd, events, what, deadline_);
}

Status Waiter::WaitUntil(int fd, short events, std::string_view what,
                         const Deadline& latest) const {
  for (;;) {
    if (Status status = Check(what); !status.ok()) return status;
    if (latest.Passed(clock_)) {
      return Error{Code::kDeadlineExceeded, std::string(what) + ": no answer in time", "", true};
    }
    pollfd fds[] = {{fd, events, 0}, {wake_.get(), POLLIN, 0}};
    const int timeout = std::min(latest.RemainingPollMs(clock_), deadline_.RemainingPollMs(clock_));
    const int ready = poll(fds, 2, timeout);
    if (ready < 0 && errno != EINTR) {
      return Error{Code::kInternal, std::string(what) + ": poll: " + ErrnoText(errno), "", true};
    }
    if (ready > 0 && fds[0].revents != 0) return {};
  }
}

}  // namespace spire_exporter
