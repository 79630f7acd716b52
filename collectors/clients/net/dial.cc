#include "collectors/clients/net/dial.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <thread>
#include <utility>

#include "exporter/base/mutex.h"
#include "exporter/base/text.h"
#include "exporter/base/thread.h"

namespace spire_exporter {
namespace {

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

// getaddrinfo's return value, and up to `most` addresses.
int LookUp(const std::string& host, uint16_t port, int flags, size_t most,
           std::vector<SocketAddress>* out) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | flags;
  addrinfo* found = nullptr;
  const int code = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  const std::unique_ptr<addrinfo, FreeAddresses> owned(code == 0 ? found : nullptr);
  for (const addrinfo* each = owned.get(); each != nullptr; each = each->ai_next) {
    if (out->size() >= most || each->ai_addrlen > sizeof(sockaddr_storage)) continue;
    SocketAddress address;
    std::memcpy(&address.storage, each->ai_addr, each->ai_addrlen);
    address.size = each->ai_addrlen;
    out->push_back(address);
  }
  return code;
}

Error Unavailable(std::string what) {
  return {Code::kUnavailable, std::move(what), "", true};
}

Error NoAddress(const std::string& host, int code) {
  return Unavailable("resolve " + Quoted(host) + ": " + gai_strerror(code));
}

}  // namespace

// Shared by the caller and the thread that looks up; the last of them frees it.
struct Resolver::Lookup {
  std::string host;
  uint16_t port = 0;
  size_t most = 0;
  UniqueFd done_event{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};  // readable once done

  Mutex mutex;
  bool done GUARDED_BY(mutex) = false;
  int code GUARDED_BY(mutex) = 0;
  std::vector<SocketAddress> addresses GUARDED_BY(mutex);

  bool Done() EXCLUDES(mutex) {
    MutexLock lock(mutex);
    return done;
  }
  void Run() EXCLUDES(mutex) {
    NameThisThread("resolver");
    std::vector<SocketAddress> found;
    const int result = LookUp(host, port, AI_ADDRCONFIG, most, &found);
    {
      MutexLock lock(mutex);
      done = true;
      code = result;
      addresses = std::move(found);
    }
    eventfd_write(done_event.get(), 1);
  }
};

Result<std::vector<SocketAddress>> Resolver::Resolve(const std::string& host, uint16_t port,
                                                     const Waiter& waiter) {
  std::vector<SocketAddress> literal;
  if (LookUp(host, port, AI_NUMERICHOST, addresses_max_, &literal) == 0 && !literal.empty())
    return literal;

  if (left_behind_ != nullptr && left_behind_->Done()) {
    left_behind_ = nullptr;  // an answer of the past
  }
  const bool reuse =
      left_behind_ != nullptr && left_behind_->host == host && left_behind_->port == port;
  if (left_behind_ != nullptr && !reuse) {
    return Unavailable("resolve " + Quoted(host) + ": resolver is stuck");
  }
  const std::shared_ptr<Lookup> lookup = reuse ? left_behind_ : std::make_shared<Lookup>();
  if (!reuse) {
    lookup->host = host;
    lookup->port = port;
    lookup->most = addresses_max_;
    try {
      std::thread([lookup] { lookup->Run(); }).detach();
    } catch (const std::system_error& error) {
      return Unavailable("resolve " + Quoted(host) + ": " + error.what());
    }
  }
  left_behind_ = lookup;
  if (Status status = waiter.Wait(lookup->done_event.get(), POLLIN, "resolve " + Quoted(host));
      !status.ok()) {
    return std::move(status).error();
  }
  left_behind_ = nullptr;
  MutexLock lock(lookup->mutex);
  if (lookup->code != 0) return NoAddress(host, lookup->code);
  if (lookup->addresses.empty()) return NoAddress(host, EAI_NONAME);
  return lookup->addresses;
}

namespace {

Result<UniqueFd> DialOne(const SocketAddress& address, const Waiter& waiter,
                         const Deadline& latest) {
  UniqueFd fd(socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return Unavailable("socket: " + ErrnoText(errno));
  const int on = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // The one cast that the socket interface asks for.
  const auto* raw = reinterpret_cast<const sockaddr*>(&address.storage);
  if (connect(fd.get(), raw, address.size) == 0) return fd;
  if (errno != EINPROGRESS && errno != EINTR) return Unavailable("connect: " + ErrnoText(errno));
  if (Status status = waiter.WaitUntil(fd.get(), POLLOUT, "connect", latest); !status.ok()) {
    return std::move(status).error();
  }
  int problem = 0;
  socklen_t size = sizeof problem;
  if (getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &problem, &size) != 0) problem = errno;
  if (problem != 0) return Unavailable("connect: " + ErrnoText(problem));
  return fd;
}

}  // namespace

Result<UniqueFd> Dial(const std::vector<SocketAddress>& addresses, const Waiter& waiter) {
  Error last = Unavailable("connect: no address");
  for (size_t i = 0; i < addresses.size(); ++i) {
    if (Status status = waiter.Check("connect"); !status.ok()) return std::move(status).error();
    const auto part = waiter.deadline().Remaining(waiter.clock()) /
                      static_cast<Duration::rep>(addresses.size() - i);
    auto fd = DialOne(addresses[i], waiter, Deadline::After(waiter.clock(), part));
    if (fd.ok() || fd.error().code == Code::kCancelled) return fd;
    last = std::move(fd).error();
  }
  return last;
}

}  // namespace spire_exporter
