#include "collectors/clients/spire/tls_client.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include "exporter/base/text.h"

namespace spire_exporter::spire {
namespace {

constexpr std::string_view kWhat = "TLS";
constexpr size_t kReadBytes = size_t{16} << 10;
// A handshake has little beside the chain.
constexpr size_t kHandshakeBytesMax = TlsClient::kChainBytesMax + (size_t{64} << 10);

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* thing) const {
    kFree(thing);
  }
};
using Context = std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>>;
using Session = std::unique_ptr<SSL, Free<SSL_free>>;

Error Failed(Code code, std::string_view why) {
  return {code, std::string(kWhat) + ": " + std::string(why), "", true};
}

// The queue of reasons, emptied.
Error TakeReason() {
  const unsigned long first = ERR_get_error();
  ERR_clear_error();
  const int reason = ERR_GET_REASON(first);
  const char* const text = ERR_reason_error_string(first);
  const std::string_view words = text != nullptr ? text : "unknown reason";
  if (reason == SSL_R_EXCESSIVE_MESSAGE_SIZE) return Failed(Code::kResourceExhausted, words);
  // An alert is a server of TLS that does not want us.
  if (reason > SSL_AD_REASON_OFFSET) return Failed(Code::kUnavailable, words);
  return Failed(Code::kDataLoss, words);
}

Context MakeContext() {
  Context context(SSL_CTX_new(TLS_client_method()));
  if (!context) return nullptr;
  constexpr unsigned char kHttp2[] = {2, 'h', '2'};
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_alpn_protos(context.get(), kHttp2, sizeof kHttp2);
  SSL_CTX_set_max_cert_list(context.get(), static_cast<long>(TlsClient::kChainBytesMax));
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION);  // its chain would be another
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE);
  // In the place of verification, which SSL_VERIFY_NONE would carry out and ignore.
  SSL_CTX_set_cert_verify_callback(
      context.get(), [](X509_STORE_CTX*, void*) { return 1; }, nullptr);
  return context;
}

// TLS between two buffers of bytes; the socket is read and written here, so that what comes in can
// be counted and a closed peer raises no signal.
class Client final : public TlsClient {
 public:
  Client(UniqueFd fd, Context context, Session session)
      : fd_(std::move(fd)), context_(std::move(context)), session_(std::move(session)) {
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    SSL_set_bio(session_.get(), in_, out_);  // which owns them from here on
    SSL_set_connect_state(session_.get());
  }

  Status Shake(const Waiter& waiter) override;
  std::vector<std::string> Chain() const override;
  std::string Protocol() const override { return SSL_get_version(session_.get()); }
  std::string Alpn() const override {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(session_.get(), &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }
  Code Relay(int fd, MessageGuard& guard) override;
  void Leave() override {
    SSL_shutdown(session_.get());
    ERR_clear_error();
    static_cast<void>(Send());
  }

 private:
  enum class Io { kDone, kWait, kEnd };

  // What TLS wants to be sent, as far as the socket takes it. kDone: all of it.
  Io Send();
  // What there is on the socket, to TLS. kDone: some.
  Io Receive();
  // What TLS has for us, to `down_`, unless some is left there. kDone: some.
  Io Decrypt();

  const UniqueFd fd_;
  const Context context_;
  const Session session_;
  BIO* in_ = nullptr;
  BIO* out_ = nullptr;
  std::string unsent_;  // to the server
  std::string down_;    // from the server
  std::string up_;      // to the server, not yet encrypted
  size_t received_ = 0;
  int error_number_ = 0;
};

Client::Io Client::Send() {
  for (;;) {
    if (unsent_.empty()) {
      unsent_.resize(static_cast<size_t>(BIO_ctrl_pending(out_)));
      if (unsent_.empty()) return Io::kDone;
      BIO_read(out_, unsent_.data(), static_cast<int>(unsent_.size()));
    }
    const ssize_t sent = send(fd_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EAGAIN || errno == EINTR) return Io::kWait;
      error_number_ = errno;
      return Io::kEnd;
    }
    unsent_.erase(0, static_cast<size_t>(sent));
  }
}

Client::Io Client::Receive() {
  std::array<char, kReadBytes> buffer;
  const ssize_t got = recv(fd_.get(), buffer.data(), buffer.size(), 0);
  if (got > 0) {
    received_ += static_cast<size_t>(got);
    BIO_write(in_, buffer.data(), static_cast<int>(got));
    return Io::kDone;
  }
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return Io::kWait;
  error_number_ = got < 0 ? errno : 0;
  return Io::kEnd;
}

Client::Io Client::Decrypt() {
  if (!down_.empty()) return Io::kWait;
  down_.resize(kReadBytes);
  ERR_clear_error();
  const int got = SSL_read(session_.get(), down_.data(), static_cast<int>(down_.size()));
  const int reason = SSL_get_error(session_.get(), got);
  ERR_clear_error();
  down_.resize(got > 0 ? static_cast<size_t>(got) : 0);
  if (got > 0) return Io::kDone;
  return reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE ? Io::kWait : Io::kEnd;
}

Status Client::Shake(const Waiter& waiter) {
  for (;;) {
    ERR_clear_error();  // SSL_get_error() looks at the whole of it
    const int done = SSL_do_handshake(session_.get());
    const int reason = SSL_get_error(session_.get(), done);
    const bool failed = done != 1 && reason != SSL_ERROR_WANT_READ;
    Error why = failed ? TakeReason() : Error{};
    // The last flight, or the alert that tells the server what we did not like.
    for (Io io = Send(); io != Io::kDone && !failed; io = Send()) {
      if (io == Io::kEnd) return Failed(Code::kUnavailable, "send: " + ErrnoText(error_number_));
      if (Status status = waiter.Wait(fd_.get(), POLLOUT, kWhat); !status.ok()) return status;
    }
    if (failed) return why;
    if (done == 1) break;
    if (received_ > kHandshakeBytesMax) {
      return Failed(Code::kResourceExhausted, "a handshake of more than 320 KiB");
    }
    if (Status status = waiter.Wait(fd_.get(), POLLIN, kWhat); !status.ok()) return status;
    if (Receive() == Io::kEnd) {
      return Failed(Code::kUnavailable,
                    error_number_ != 0 ? ErrnoText(error_number_) : "closed during the handshake");
    }
  }
  STACK_OF(X509)* const chain = SSL_get_peer_cert_chain(session_.get());
  if (chain != nullptr && static_cast<size_t>(sk_X509_num(chain)) > kChainMax) {
    return Failed(Code::kResourceExhausted, "a chain of more than 16 certificates");
  }
  return {};
}

std::vector<std::string> Client::Chain() const {
  std::vector<std::string> chain;
  STACK_OF(X509)* const given = SSL_get_peer_cert_chain(session_.get());
  for (int i = 0; given != nullptr && i < sk_X509_num(given); ++i) {
    unsigned char* der = nullptr;
    const int size = i2d_X509(sk_X509_value(given, i), &der);
    if (size <= 0) continue;
    chain.emplace_back(reinterpret_cast<char*>(der), static_cast<size_t>(size));
    OPENSSL_free(der);
  }
  return chain;
}

Code Client::Relay(int fd, MessageGuard& guard) {
  bool server_ended = false;
  const auto pass_on = [&] {
    const ssize_t sent = send(fd, down_.data(), down_.size(), MSG_NOSIGNAL);
    if (sent > 0) down_.erase(0, static_cast<size_t>(sent));
    return sent >= 0 || errno == EAGAIN || errno == EINTR;
  };
  for (;;) {
    // From the server, as long as there is room.
    while (down_.empty()) {
      const Io decrypted = Decrypt();
      server_ended = server_ended || decrypted == Io::kEnd;
      if (decrypted != Io::kDone) break;
      if (!guard.Pass(down_)) {
        shutdown(fd, SHUT_RDWR);
        return guard.http2() ? Code::kResourceExhausted : Code::kDataLoss;
      }
      if (!pass_on()) return Code::kOk;
    }
    if (server_ended && down_.empty()) {
      shutdown(fd, SHUT_RDWR);
      return Code::kOk;
    }
    if (!up_.empty()) {
      ERR_clear_error();
      const int taken = SSL_write(session_.get(), up_.data(), static_cast<int>(up_.size()));
      if (taken > 0) up_.erase(0, static_cast<size_t>(taken));
    }
    const Io sending = Send();
    server_ended = server_ended || sending == Io::kEnd;

    const bool to_server = sending == Io::kWait;
    pollfd fds[] = {{fd_.get(), 0, 0}, {fd, 0, 0}};
    if (down_.empty()) fds[0].events |= POLLIN;
    if (to_server) fds[0].events |= POLLOUT;
    if (up_.empty() && !to_server) fds[1].events |= POLLIN;
    if (!down_.empty()) fds[1].events |= POLLOUT;
    if (server_ended || fds[0].events == 0) fds[0].fd = -1;
    if (poll(fds, 2, -1) < 0) {
      if (errno == EINTR) continue;
      return Code::kOk;
    }
    if ((fds[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0 && down_.empty()) {
      server_ended = Receive() == Io::kEnd || server_ended;
    }
    if ((fds[1].revents & POLLOUT) != 0) {
      if (!pass_on()) return Code::kOk;
    } else if ((fds[1].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
      if (!up_.empty() || to_server) return Code::kOk;  // it was not asked for more: it has ended
      up_.resize(kReadBytes);
      const ssize_t got = recv(fd, up_.data(), up_.size(), 0);
      up_.resize(got > 0 ? static_cast<size_t>(got) : 0);
      if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return Code::kOk;
    }
  }
}

}  // namespace

Result<std::unique_ptr<TlsClient>> TlsClient::Over(UniqueFd fd) {
  Context context = MakeContext();
  Session session(context ? SSL_new(context.get()) : nullptr);
  ERR_clear_error();
  if (!session) return Failed(Code::kInternal, "no memory");
  return std::unique_ptr<TlsClient>(
      std::make_unique<Client>(std::move(fd), std::move(context), std::move(session)));
}

}  // namespace spire_exporter::spire
