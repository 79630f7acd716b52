// Dialling a listener in tests, without ever blocking for long.
#ifndef TESTS_FAKES_DIAL_H_
#define TESTS_FAKES_DIAL_H_

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <string>

#include "exporter/base/unique_fd.h"

namespace spire_exporter::fakes {

// Waits for an event, at most that long; false when it did not come.
inline bool WaitFor(const UniqueFd& fd, short event, std::chrono::milliseconds timeout) {
  pollfd entry{fd.get(), event, 0};
  return ::poll(&entry, 1, static_cast<int>(timeout.count())) == 1;
}

// A socket, not blocking, whose connection is under way; `code` is the errno of connect(), 0 or
// EINPROGRESS when all goes well. Addresses as ListenAddress() writes them.
inline UniqueFd StartDial(const std::string& address, int* code) {
  const auto connect = [code](int family, const sockaddr* to, socklen_t length) {
    UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    *code = ::connect(fd.get(), to, length) == 0 ? 0 : errno;
    return fd;
  };
  if (address.compare(0, 5, "unix:") == 0) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    address.copy(to.sun_path, sizeof(to.sun_path) - 1, 5);
    return connect(AF_UNIX, reinterpret_cast<const sockaddr*>(&to), sizeof(to));
  }
  const size_t colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  if (host.front() == '[') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  *code = ::getaddrinfo(host.c_str(), address.c_str() + colon + 1, &hints, &list);
  if (*code != 0) return UniqueFd();
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);
  return connect(list->ai_family, list->ai_addr, list->ai_addrlen);
}

// A connection that is made, or an invalid descriptor after `timeout`.
inline UniqueFd Dial(const std::string& address,
                     std::chrono::milliseconds timeout = std::chrono::seconds(10)) {
  int code = 0;
  UniqueFd fd = StartDial(address, &code);
  if (code != 0 && code != EINPROGRESS) return UniqueFd();
  if (!WaitFor(fd, POLLOUT, timeout)) return UniqueFd();
  int error = 0;
  socklen_t length = sizeof(error);
  ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  return error == 0 ? std::move(fd) : UniqueFd();
}

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_DIAL_H_
