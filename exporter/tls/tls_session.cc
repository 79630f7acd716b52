#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "exporter/tls/tls_context.h"

namespace spire_exporter {
namespace {

constexpr size_t kRecord = 16 * 1024;  // of TLS, at most
// OpenSSL goes on reading for as long as there are records without data, and a client may send
// those as fast as the wire takes them: new keys, renegotiation that is refused, empty ones. A step
// reads so often (each record takes two), and then it is somebody else's turn.
constexpr int kReadsPerStep = 16;
// Between two pieces of data; beyond it the client wants nothing else. More than a whole record.
constexpr size_t kBytesWithoutData = 32 * 1024;

std::string TextOf(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<size_t>(ASN1_STRING_length(text))};
}

std::string AddressOf(const ASN1_OCTET_STRING* address) {
  char text[INET6_ADDRSTRLEN] = "";
  const int family = ASN1_STRING_length(address) == 4 ? AF_INET : AF_INET6;
  if (family == AF_INET6 && ASN1_STRING_length(address) != 16) return {};
  inet_ntop(family, ASN1_STRING_get0_data(address), text, sizeof(text));
  return text;
}

class Session final : public TlsSession {
 public:
  Session(std::shared_ptr<const ServerContext> context, OpenSslPtr<SSL> ssl, int fd)
      : context_(std::move(context)), ssl_(std::move(ssl)), fd_(fd) {
    BIO* const socket = SSL_get_rbio(ssl_.get());
    BIO_set_callback_ex(socket, OnSocket);
    BIO_set_callback_arg(socket, reinterpret_cast<char*>(this));
  }

  Outcome Handshake() override {
    ERR_clear_error();
    reads_left_ = kReadsPerStep;
    const int result = SSL_accept(ssl_.get());
    if (result == 1) {
      without_data_ = 0;
      ReadPeer();
      return {State::kDone, 0};
    }
    const unsigned long error = ERR_peek_error();
    if (ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_HTTP_REQUEST) {
      ERR_clear_error();
      return {State::kPlainHttp, 0};
    }
    return Failed(result);
  }

  Outcome Read(char* buffer, size_t size) override {
    ERR_clear_error();
    reads_left_ = kReadsPerStep;
    size_t got = 0;
    const int result = SSL_read_ex(ssl_.get(), buffer, size, &got);
    if (result == 1) {
      without_data_ = 0;
      return {State::kDone, got};
    }
    const Outcome outcome = Failed(result);
    return without_data_ > kBytesWithoutData ? Outcome{State::kClosed, 0} : outcome;
  }

  Outcome Write(std::string_view first, std::string_view second) override {
    // One record for the head and the beginning of the body. After a write that could not be done
    // the next one must begin with the same bytes, which holds as the caller passes what is left.
    std::array<char, kRecord> record;
    std::string_view piece = first.empty() ? second.substr(0, kRecord) : first.substr(0, kRecord);
    if (!first.empty() && first.size() < kRecord && !second.empty()) {
      const size_t more = std::min(second.size(), kRecord - first.size());
      std::memcpy(record.data(), first.data(), first.size());
      std::memcpy(record.data() + first.size(), second.data(), more);
      piece = {record.data(), first.size() + more};
    }
    if (piece.empty()) return {State::kDone, 0};
    ERR_clear_error();
    size_t wrote = 0;
    const int result = SSL_write_ex(ssl_.get(), piece.data(), piece.size(), &wrote);
    return result == 1 ? Outcome{State::kDone, wrote} : Failed(result);
  }

  void EndWriting() override {
    ERR_clear_error();
    reads_left_ = 0;
    // The alert says that nothing was cut off; a peer that does not wait for it is free to go.
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
    shutdown(fd_, SHUT_WR);
  }

  const PeerCertificate* peer() const override { return peer_ ? &*peer_ : nullptr; }

  bool StillTrusted(const std::shared_ptr<const ServerContext>& now, double now_seconds) override {
    if (peer_ && peer_->verified && now_seconds > peer_->not_after_seconds) return false;
    if (now == judged_by_) return true;
    if (now->trust != judged_by_->trust && !Verify(*now)) return false;
    judged_by_ = now;
    return true;
  }

 private:
  // Around each operation of OpenSSL on the socket.
  static long OnSocket(BIO* socket, int operation, const char*, size_t, int, long, int result,
                       size_t* bytes) {
    Session& self = *reinterpret_cast<Session*>(BIO_get_callback_arg(socket));
    if (operation == BIO_CB_READ && self.reads_left_-- <= 0) {
      BIO_set_retry_read(socket);
      return -1;  // as if nothing more had come
    }
    if (operation == (BIO_CB_READ | BIO_CB_RETURN) && result > 0) self.without_data_ += *bytes;
    return result;
  }

  // Whether the handshake would be done as well with another context. A resumed session has only
  // the leaf: where that is below an intermediate authority the client has to come again.
  bool Verify(const ServerContext& now) {
    const ClientAuth auth = now.trust.auth;
    const bool may_be_without = auth != ClientAuth::kRequireAnyClientCert &&
                                auth != ClientAuth::kRequireAndVerifyClientCert;
    if (!peer_) return may_be_without;
    if (!Verifies(auth)) return true;
    peer_->by_fallback = ByFallback(now);
    peer_->verified = VerifyClient(now, SSL_get0_peer_certificate(ssl_.get()),
                                   SSL_get_peer_cert_chain(ssl_.get())) == X509_V_OK;
    return peer_->verified;
  }

  Outcome Failed(int result) {
    switch (SSL_get_error(ssl_.get(), result)) {
      case SSL_ERROR_WANT_READ:
        return {State::kWantsRead, 0};
      case SSL_ERROR_WANT_WRITE:
        return {State::kWantsWrite, 0};
      default:
        ERR_clear_error();
        return {State::kClosed, 0};
    }
  }

  // If it is verified at all: VerifyClient() leaves no other way.
  bool ByFallback(const ServerContext& context) const {
    return context.more_roots != nullptr && !context.spiffe_roots->Claims(*peer_);
  }

  void ReadPeer() {
    const OpenSslPtr<X509> certificate(SSL_get1_peer_certificate(ssl_.get()));
    if (certificate == nullptr) return;
    peer_ = NamesOf(certificate.get());
    // A callback that takes anything leaves the result of the check as it was, and where there are
    // no roots nothing can have been checked.
    const bool checked = SSL_get_verify_callback(ssl_.get()) == nullptr;
    peer_->by_fallback = ByFallback(*context_);
    peer_->verified = checked && SSL_get_verify_result(ssl_.get()) == X509_V_OK;
  }

  const std::shared_ptr<const ServerContext> context_;  // outlives ssl_, which verifies by it
  const OpenSslPtr<SSL> ssl_;
  const int fd_;
  int reads_left_ = 0;                                         // of this step
  size_t without_data_ = 0;                                    // bytes read since the last data
  std::shared_ptr<const ServerContext> judged_by_ = context_;  // the client, last
  std::optional<PeerCertificate> peer_;
};

}  // namespace

PeerCertificate NamesOf(const X509* certificate) {
  PeerCertificate names;
  names.not_after_seconds = UnixSecondsOf(X509_get0_notAfter(certificate));
  const std::unique_ptr<GENERAL_NAMES, void (*)(GENERAL_NAMES*)> all(
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
      GENERAL_NAMES_free);
  if (all == nullptr) return names;
  for (int i = 0; i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(all.get(), i);
    switch (name->type) {
      case GEN_DNS:
        names.dns_names.push_back(TextOf(name->d.dNSName));
        break;
      case GEN_EMAIL:
        names.email_addresses.push_back(TextOf(name->d.rfc822Name));
        break;
      case GEN_URI:
        names.uris.push_back(TextOf(name->d.uniformResourceIdentifier));
        break;
      case GEN_IPADD:
        names.ip_addresses.push_back(AddressOf(name->d.iPAddress));
        break;
      default:
        break;
    }
  }
  return names;
}

std::unique_ptr<TlsSession> MakeServerSession(std::shared_ptr<const ServerContext> context,
                                              int fd) {
  OpenSslPtr<SSL> ssl(SSL_new(context->ssl.get()));
  if (ssl == nullptr || SSL_set_fd(ssl.get(), fd) != 1) {
    ERR_clear_error();
    return nullptr;
  }
  SSL_set_accept_state(ssl.get());
  return std::make_unique<Session>(std::move(context), std::move(ssl), fd);
}

}  // namespace spire_exporter
