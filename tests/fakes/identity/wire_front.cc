#include "tests/fakes/identity/wire_front.h"

#include <fcntl.h>
#include <grpc/grpc.h>
#include <grpcpp/server_posix.h>
#include <openssl/x509.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <utility>

#include "collectors/clients/spiffe/x509_svid.h"
#include "exporter/base/text.h"
#include "exporter/base/thread.h"
#include "tests/fakes/hang.h"

namespace spire_exporter::fakes {
namespace {

int ChooseH2(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* offered,
             unsigned offered_size, void*) {
  static constexpr unsigned char kH2[] = {2, 'h', '2'};
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, size, kH2, sizeof(kH2), offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

std::shared_ptr<SSL_CTX> MakeContext(const Svid& identity) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  const auto check = [](bool good) {
    if (!good) throw std::runtime_error("wire front: OpenSSL refuses the identity");
  };
  check(context && SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) == 1);
  const auto* key = reinterpret_cast<const unsigned char*>(identity.key.data());
  const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> parsed(
      d2i_AutoPrivateKey(nullptr, &key, static_cast<long>(identity.key.size())), EVP_PKEY_free);
  const Result<std::vector<std::string>> chain = spiffe::SplitCertificates(identity.chain);
  check(parsed && chain.ok() && !chain.value().empty());
  for (size_t i = 0; i < chain.value().size(); ++i) {
    const std::string& der = chain.value()[i];
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    const std::unique_ptr<X509, void (*)(X509*)> certificate(
        d2i_X509(nullptr, &at, static_cast<long>(der.size())), X509_free);
    check(certificate != nullptr);
    check((i == 0 ? SSL_CTX_use_certificate(context.get(), certificate.get())
                  : SSL_CTX_add1_chain_cert(context.get(), certificate.get())) == 1);
  }
  check(SSL_CTX_use_PrivateKey(context.get(), parsed.get()) == 1);
  SSL_CTX_set_alpn_select_cb(context.get(), ChooseH2, nullptr);
  return context;
}

void SetNonBlocking(int fd) {
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
}

}  // namespace

Result<std::unique_ptr<WireFront>> WireFront::Start(const std::string& address,
                                                    grpc::Server* server) {
  // gRPC goes with the last of its servers, and then may wait 10 s for a thread of its own.
  [[maybe_unused]] static const bool kept = (grpc_init(), true);
  Result<UniqueFd> listener = ListenStream(address);
  if (!listener.ok()) return std::move(listener).error();
  UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  return std::unique_ptr<WireFront>(
      new WireFront(std::move(listener).value(), std::move(wake), server));
}

WireFront::WireFront(UniqueFd listener, UniqueFd wake, grpc::Server* server)
    : address_(ListenAddress(listener.get())),
      wake_(std::move(wake)),
      server_(server),
      listener_(std::move(listener)) {
  thread_ = std::thread([this] {
    NameThisThread("fake-front");
    Run();
  });
}

WireFront::~WireFront() {
  {
    const MutexLock lock(mutex_);
    stop_ = true;
  }
  Wake();
  thread_.join();
}

void WireFront::Wake() const {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof(one));
}

void WireFront::SpeakTls(const Svid& identity) {
  TlsContext context = MakeContext(identity);
  const MutexLock lock(mutex_);
  tls_ = std::move(context);
}

Status WireFront::Fail(WireFault fault, Duration drip_interval) {
  {
    const MutexLock lock(mutex_);
    tunnels_.clear();
    silent_.clear();
    fault_ = fault;
    drip_interval_ = drip_interval;
    if (fault == WireFault::kRefuse) {
      // While the front polls it, a listener that is only closed goes on taking connections.
      ::shutdown(listener_.get(), SHUT_RDWR);
      listener_.Reset();
      if (address_.starts_with("unix:")) ::unlink(address_.c_str() + 5);
    } else if (!listener_.valid()) {
      Result<UniqueFd> again = ListenStream(address_);
      if (!again.ok()) return std::move(again).error();
      listener_ = std::move(again).value();
    }
  }
  Wake();
  return {};
}

void WireFront::CutAfter(uint64_t bytes) {
  {
    const MutexLock lock(mutex_);
    for (Tunnel& tunnel : tunnels_) tunnel.CutAfter(bytes);
  }
  Wake();
}

void WireFront::Disconnect() {
  {
    const MutexLock lock(mutex_);
    tunnels_.clear();
    silent_.clear();
  }
  Wake();
}

void WireFront::Run() {
  std::vector<pollfd> fds;
  while (Round(&fds)) {
  }
}

bool WireFront::Round(std::vector<pollfd>* fds) {
  int timeout_ms = -1;
  {
    const MutexLock lock(mutex_);
    if (stop_) return false;
    fds->assign(1, pollfd{wake_.get(), POLLIN, 0});
    if (listener_.valid()) fds->push_back({listener_.get(), POLLIN, 0});
    SteadyTime due = SteadyTime::max();
    for (const Tunnel& tunnel : tunnels_) {
      tunnel.AppendPoll(fds);
      due = std::min(due, tunnel.next_due());
    }
    if (due != SteadyTime::max()) timeout_ms = Deadline(due).RemainingPollMs(clock_);
  }
  ::poll(fds->data(), fds->size(), timeout_ms);
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t read = ::read(wake_.get(), &count, sizeof(count));
  const MutexLock lock(mutex_);
  AcceptAll();
  const SteadyTime now = clock_.Steady();
  tunnels_.remove_if([now](Tunnel& tunnel) { return !tunnel.Pump(now); });
  return true;
}

void WireFront::AcceptAll() {
  while (listener_.valid()) {
    UniqueFd peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!peer.valid()) return;
    accepted_.fetch_add(1, std::memory_order_relaxed);
    if (fault_ == WireFault::kReset) {
      const linger reset{1, 0};
      ::setsockopt(peer.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
      continue;
    }
    if (fault_ == WireFault::kAcceptOnly) {
      silent_.push_back(std::move(peer));
      continue;
    }
    std::array<int, 2> pair{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) return;
    UniqueFd inside(pair[0]);
    SetNonBlocking(pair[0]);
    SetNonBlocking(pair[1]);
    grpc::AddInsecureChannelFromFd(server_, pair[1]);
    TlsSession session(tls_ ? SSL_new(tls_.get()) : nullptr, SSL_free);
    tunnels_.emplace_back(std::move(peer), std::move(inside), std::move(session));
    if (fault_ == WireFault::kDrip) tunnels_.back().Drip(drip_interval_);
  }
}

}  // namespace spire_exporter::fakes
