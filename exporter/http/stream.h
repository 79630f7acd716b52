// A client's connection as bytes that come and go without blocking, plain or through TLS; nothing
// else in the door touches a client's socket.
#ifndef EXPORTER_HTTP_STREAM_H_
#define EXPORTER_HTTP_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "exporter/base/unique_fd.h"
#include "exporter/tls/tls_server.h"

namespace spire_exporter {

class Stream {
 public:
  enum class State { kDone, kBlocked, kClosed };
  struct Outcome {
    State state = State::kClosed;
    size_t bytes = 0;  // kDone
  };

  Stream() = default;
  // A connected, non-blocking socket.
  explicit Stream(UniqueFd fd) : fd_(std::move(fd)) {}
  // The same with TLS over it, which begins with a handshake. `tls` outlives this; its session is
  // made with the first step, since most connections of a flood never get that far.
  Stream(UniqueFd fd, const TlsServer& tls)
      : fd_(std::move(fd)), server_(&tls), handshaking_(true) {}

  int fd() const { return fd_.get(); }
  // The epoll events to wait for after something was blocked: TLS may have to read to write.
  uint32_t wants() const { return wants_; }

  // Until it is over neither Read() nor Write() may be called.
  bool handshaking() const { return handshaking_; }
  enum class Greeting { kDone, kBlocked, kFailed, kPlainHttp };
  // One step, perhaps with a signature in it. After kPlainHttp the stream is a plain one, for an
  // answer that the client can read.
  Greeting Handshake();
  // What the client has shown; null without TLS or without a certificate.
  const PeerCertificate* peer_certificate() const { return tls_ ? tls_->peer() : nullptr; }
  // Whether the client of a TLS connection would come in now as well.
  bool StillTrusted() const { return tls_ == nullptr || server_->StillTrusts(*tls_); }
  // kClosed: the peer sends no more, or the connection is broken.
  Outcome Read(char* buffer, size_t size);
  // Takes what the peer has sent and does not look at it, TLS or not. For when nothing more is
  // read.
  Outcome Discard(char* buffer, size_t size);
  // Writes what it can of one text and then another.
  Outcome Write(std::string_view first, std::string_view second);
  // Tells the peer that nothing more comes.
  void EndWriting();

 private:
  Outcome FromTls(TlsSession::Outcome outcome);

  UniqueFd fd_;
  const TlsServer* server_ = nullptr;
  std::unique_ptr<TlsSession> tls_;  // ends before its socket
  bool handshaking_ = false;
  uint32_t wants_ = 0;
};

}  // namespace spire_exporter

#endif  // EXPORTER_HTTP_STREAM_H_
