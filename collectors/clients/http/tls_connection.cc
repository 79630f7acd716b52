#include "collectors/clients/http/tls_connection.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

#include "exporter/base/text.h"

namespace spire_exporter {
namespace {

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

// What the BIO of one connection needs; OpenSSL's own socket BIO would raise SIGPIPE on a closed
// peer.
struct SocketState {
  int fd = -1;
  bool eof = false;
  int error_number = 0;
};

int SocketWrite(BIO* bio, const char* bytes, int size) {
  auto* state = static_cast<SocketState*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const ssize_t sent = send(state->fd, bytes, static_cast<size_t>(size), MSG_NOSIGNAL);
  if (sent >= 0) return static_cast<int>(sent);
  if (errno == EAGAIN || errno == EINTR) {
    BIO_set_retry_write(bio);
  } else {
    state->error_number = errno;
  }
  return -1;
}

int SocketRead(BIO* bio, char* into, int size) {
  auto* state = static_cast<SocketState*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const ssize_t got = recv(state->fd, into, static_cast<size_t>(size), 0);
  if (got >= 0) {
    state->eof = got == 0;
    return static_cast<int>(got);
  }
  if (errno == EAGAIN || errno == EINTR) {
    BIO_set_retry_read(bio);
  } else {
    state->error_number = errno;
  }
  return -1;
}

long SocketControl(BIO* bio, int command, long, void*) {  // NOLINT: OpenSSL's types
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return static_cast<SocketState*>(BIO_get_data(bio))->eof ? 1 : 0;
  return 0;
}

// One for all connections, never given back: OpenSSL has 128 numbers for methods in a process. Null
// when there is no memory.
const BIO_METHOD* SocketMethod() {
  static const BIO_METHOD* const kMethod = [] {
    BIO_METHOD* const made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    if (made == nullptr) return made;
    BIO_meth_set_write(made, SocketWrite);
    BIO_meth_set_read(made, SocketRead);
    BIO_meth_set_ctrl(made, SocketControl);
    return made;
  }();
  return kMethod;
}

// The first queued reason of OpenSSL, and the queue emptied.
std::string TakeReason(int* code) {
  const unsigned long first = ERR_get_error();
  ERR_clear_error();
  *code = ERR_GET_REASON(first);
  const char* text = ERR_reason_error_string(first);
  return text != nullptr ? text : "unknown reason";
}

bool IsRefusalOfOurCertificate(int reason) {
  constexpr int kRefusals[] = {
      SSL_R_SSLV3_ALERT_BAD_CERTIFICATE,         SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
      SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED,     SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN,
      SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE, SSL_R_TLSV1_ALERT_UNKNOWN_CA,
      SSL_R_TLSV1_ALERT_ACCESS_DENIED,           SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED};
  return std::find(std::begin(kRefusals), std::end(kRefusals), reason) != std::end(kRefusals);
}

bool IsNoTls(int reason) {
  return reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST ||
         reason == SSL_R_PACKET_LENGTH_TOO_LONG || reason == SSL_R_UNEXPECTED_MESSAGE;
}

class TlsConnection final : public Connection {
 public:
  TlsConnection(UniqueFd fd, const Waiter& waiter) : fd_(std::move(fd)), waiter_(waiter) {
    state_.fd = fd_.get();
  }

  Status Open(SSL_CTX* context, const std::string& name) {
    ssl_.reset(SSL_new(context));
    const BIO_METHOD* const method = SocketMethod();
    BIO* const bio = method != nullptr && ssl_ != nullptr ? BIO_new(method) : nullptr;
    if (bio == nullptr) return Error{Code::kInternal, "TLS: out of memory", "", true};
    BIO_set_data(bio, &state_);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);  // owned by ssl_ from here on
    if (!SetName(name)) {
      return Error{Code::kInvalidArgument, "TLS: bad server name " + Quoted(name), "", false};
    }
    const auto done = Run("TLS handshake", [this] { return SSL_connect(ssl_.get()); });
    return done.ok() ? Status() : Status(done.error());
  }

  Status WriteAll(std::string_view bytes) override {
    while (!bytes.empty()) {
      const int size = static_cast<int>(std::min<size_t>(bytes.size(), INT_MAX));
      const auto sent = Run("send", [&] { return SSL_write(ssl_.get(), bytes.data(), size); });
      if (!sent.ok()) return sent.error();
      if (*sent == 0) return Error{Code::kUnavailable, "send: closed by the peer", "", true};
      bytes.remove_prefix(*sent);
    }
    return {};
  }

  Result<size_t> Read(std::span<char> into) override {
    const int size = static_cast<int>(std::min<size_t>(into.size(), INT_MAX));
    return Run("read", [&] { return SSL_read(ssl_.get(), into.data(), size); });
  }

 private:
  bool SetName(const std::string& name) {
    unsigned char address[sizeof(in6_addr)];
    if (inet_pton(AF_INET, name.c_str(), address) == 1 ||
        inet_pton(AF_INET6, name.c_str(), address) == 1) {
      return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), name.c_str()) == 1;
    }
    SSL_set_hostflags(ssl_.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl_.get(), name.c_str()) == 1 &&
           SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                    const_cast<char*>(name.c_str())) == 1;  // OpenSSL copies it
  }

  // Repeats an operation until it is done; 0 is an orderly end by the peer.
  template <typename Operation>
  Result<size_t> Run(std::string_view what, const Operation& operation) {
    for (;;) {
      if (Status status = waiter_.Check(what); !status.ok()) return std::move(status).error();
      ERR_clear_error();
      const int result = operation();
      if (result > 0) return static_cast<size_t>(result);
      const int problem = SSL_get_error(ssl_.get(), result);
      if (problem == SSL_ERROR_ZERO_RETURN) return size_t{0};
      if (problem != SSL_ERROR_WANT_READ && problem != SSL_ERROR_WANT_WRITE) {
        return Problem(what, problem);
      }
      const short events = problem == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
      if (Status status = waiter_.Wait(fd_.get(), events, what); !status.ok()) {
        return std::move(status).error();
      }
    }
  }

  Error Problem(std::string_view what, int problem) {
    const std::string prefix = std::string(what) + ": ";
    const long verdict = SSL_get_verify_result(ssl_.get());
    if (verdict != X509_V_OK) {
      ERR_clear_error();
      const char* const why = verdict == X509_V_ERR_APPLICATION_VERIFICATION
                                  ? "another SPIFFE ID than it should have"
                                  : X509_verify_cert_error_string(verdict);
      return {Code::kUnauthenticated, prefix + "certificate of the peer: " + why, "", true};
    }
    if (problem == SSL_ERROR_SYSCALL) {
      ERR_clear_error();
      const std::string why =
          state_.error_number != 0 ? ErrnoText(state_.error_number) : "closed by the peer";
      return {Code::kUnavailable, prefix + why, "", true};
    }
    int reason = 0;
    const std::string text = TakeReason(&reason);
    if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
      return {Code::kUnavailable, prefix + "closed by the peer", "", true};
    }
    if (IsRefusalOfOurCertificate(reason)) {
      return {Code::kPermissionDenied,
              prefix + "the peer wants another certificate of ours: " + text, "", true};
    }
    if (IsNoTls(reason)) {
      return {Code::kFailedPrecondition, prefix + "the peer does not speak TLS: " + text, "", true};
    }
    return {Code::kUnavailable, prefix + text, "", true};
  }

  const UniqueFd fd_;
  const Waiter& waiter_;
  SocketState state_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
};

// No prompt on a terminal for an encrypted key: it cannot be used.
int NoPassphrase(char*, int, int, void*) {
  return -1;
}

Error BadFile(const std::string& file, std::string_view what) {
  int unused = 0;
  return {Code::kFailedPrecondition,
          "TLS: " + std::string(what) + " " + file + ": " + TakeReason(&unused), "", true};
}

// Verifies peers, by no roots as yet; null when there is no memory.
std::shared_ptr<SSL_CTX> MakeBareContext() {
  ERR_clear_error();
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  SSL_CTX* raw = context.get();
  if (raw == nullptr) return context;
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(raw, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_default_passwd_cb(raw, NoPassphrase);
  return context;
}

Result<std::shared_ptr<SSL_CTX>> MakeContext(const TlsOptions& options) {
  std::shared_ptr<SSL_CTX> context = MakeBareContext();
  if (context == nullptr) return BadFile("", "no context");
  SSL_CTX* raw = context.get();
  if (options.ca_file.empty()) {
    if (SSL_CTX_set_default_verify_paths(raw) != 1) return BadFile("", "system's roots");
  } else if (SSL_CTX_load_verify_file(raw, options.ca_file.c_str()) != 1) {
    return BadFile(options.ca_file, "CA file");
  }
  if (!options.cert_file.empty() || !options.key_file.empty()) {
    if (SSL_CTX_use_certificate_chain_file(raw, options.cert_file.c_str()) != 1) {
      return BadFile(options.cert_file, "certificate file");
    }
    if (SSL_CTX_use_PrivateKey_file(raw, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
      return BadFile(options.key_file, "key file");
    }
    if (SSL_CTX_check_private_key(raw) != 1) {
      return BadFile(options.key_file, "key that belongs to another certificate");
    }
  }
  return context;
}

}  // namespace

// Inode, size and time of change of every file, so that a rotated one is noticed, through symbolic
// links too.
std::string TlsContext::Fingerprint() const {
  std::string out;
  const std::string ca = options_.ca_file.empty() ? X509_get_default_cert_file() : options_.ca_file;
  for (const std::string& file : {ca, options_.cert_file, options_.key_file}) {
    struct stat info = {};
    if (file.empty() || stat(file.c_str(), &info) != 0) {
      out += "-;";
      continue;
    }
    out += std::to_string(info.st_ino) + ' ' + std::to_string(info.st_size) + ' ' +
           std::to_string(info.st_mtim.tv_sec) + '.' + std::to_string(info.st_mtim.tv_nsec) + ';';
  }
  return out;
}

Status TlsContext::RefreshFromSource() {
  Result<TlsMaterial> material = options_.spiffe.source->Load();
  if (!material.ok()) return material.error();
  if (context_ != nullptr && *material == material_) return {};
  context_ = nullptr;
  std::shared_ptr<SSL_CTX> context = MakeBareContext();
  if (context == nullptr) return BadFile("", "no context");
  auto used = UseSpiffe(*material, options_.spiffe, context.get());
  if (!used.ok()) return used.error();
  verification_ = *std::move(used);
  context_ = std::move(context);
  material_ = *std::move(material);
  return {};
}

Status TlsContext::Refresh() {
  if (options_.spiffe.source != nullptr) return RefreshFromSource();
  std::string now = Fingerprint();
  if (context_ != nullptr && now == fingerprint_) return {};
  context_ = nullptr;
  auto made = MakeContext(options_);
  if (!made.ok()) return made.error();
  context_ = *std::move(made);
  fingerprint_ = std::move(now);
  return {};
}

Result<std::unique_ptr<Connection>> TlsContext::Connect(UniqueFd fd, const std::string& host,
                                                        const Waiter& waiter) {
  if (context_ == nullptr) return Error{Code::kInternal, "TLS: no context", "", false};
  auto connection = std::make_unique<TlsConnection>(std::move(fd), waiter);
  const std::string& name = options_.server_name.empty() ? host : options_.server_name;
  if (Status status = connection->Open(context_.get(), name); !status.ok()) {
    return std::move(status).error();
  }
  return std::unique_ptr<Connection>(std::move(connection));
}

}  // namespace spire_exporter
