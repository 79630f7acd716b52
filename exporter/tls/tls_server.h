// TLS at a listener: what is in force, how it is renewed while connections live, and one
// connection. OpenSSL stops here, and is not touched before the first TlsServer is made.
#ifndef EXPORTER_TLS_TLS_SERVER_H_
#define EXPORTER_TLS_TLS_SERVER_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "exporter/base/clock.h"
#include "exporter/base/mutex.h"
#include "exporter/base/result.h"
#include "exporter/tls/certificate_source.h"
#include "exporter/tls/peer_certificate.h"
#include "exporter/tls/tls_settings.h"

namespace spire_exporter {

struct ServerContext;

// Whether every name in the settings is one that is known; an error lists those that are.
Status CheckTlsSettings(const TlsSettings& settings);
// Whether what a source has now could be served with.
Status CheckCertificates(const TlsSettings& settings, CertificateSource& source);

// One server side of a TLS connection over a non-blocking socket. Belongs to one thread at a time.
class TlsSession {
 public:
  enum class State { kDone, kWantsRead, kWantsWrite, kClosed, kPlainHttp };
  struct Outcome {
    State state = State::kClosed;
    size_t bytes = 0;  // kDone
  };

  virtual ~TlsSession() = default;
  // One step of the handshake; may cost a signature (RSA of 2048 bits: 0.6 ms; ECDSA: 0.03 ms).
  // kDone when it is over, kPlainHttp when the client speaks HTTP instead, kClosed when it has
  // failed.
  virtual Outcome Handshake() = 0;
  // Like recv() and send(). A record that was cut short is kClosed, not the end.
  virtual Outcome Read(char* buffer, size_t size) = 0;
  virtual Outcome Write(std::string_view first, std::string_view second) = 0;
  // Tells the peer that nothing more comes.
  virtual void EndWriting() = 0;
  // What the client has shown, after the handshake; null when nothing.
  virtual const PeerCertificate* peer() const = 0;
  // TlsServer::StillTrusts() with what is in force now.
  virtual bool StillTrusted(const std::shared_ptr<const ServerContext>& now,
                            double now_seconds) = 0;
};

// Safe from any thread.
class TlsServer {
 public:
  // What is in force, for metrics and pages.
  struct State {
    bool refreshed = false;         // the last Refresh() or Apply() found all well
    double refreshed_seconds = 0;   // Unix time of the last good one
    double not_before_seconds = 0;  // of the leaf in force
    double not_after_seconds = 0;
    CertificateOrigin origin = CertificateOrigin::kFile;
    uint64_t generation = 0;  // rises with every change of what is in force; 0 when nothing is
    std::string error;        // of the last bad one
  };

  // `clock` outlives this.
  explicit TlsServer(const Clock& clock);
  ~TlsServer();
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  // Takes settings and loads what they name; a failure changes nothing but the state.
  Status Apply(const TlsSettings& settings) EXCLUDES(mutex_);
  // The same with a source of certificates that is not the settings' own. One that waits is taken:
  // until something comes, what was in force stays, or nothing is.
  Status Apply(const TlsSettings& settings, std::shared_ptr<CertificateSource> source)
      EXCLUDES(mutex_);
  // Loads again from the same source: what has changed is put to use for new connections, what is
  // bad (torn, expired is not bad) leaves the last good in force; a source that waits is not bad.
  // Reads files: not for the door's thread.
  Status Refresh() EXCLUDES(mutex_);

  // For a socket that was just accepted; null while nothing has been loaded. The session keeps what
  // is in force now for as long as it lives. Sessions are not resumed across a change, so that a
  // client whose root went is not let in by a ticket.
  std::unique_ptr<TlsSession> Accept(int fd) const EXCLUDES(mutex_);

  // After the handshake, and for each request: whether the client would come in now as well. Its
  // certificate must not have ended, and is verified anew (0.2 ms) where it was by other roots than
  // those in force; a renewed certificate of the server's own changes nothing.
  bool StillTrusts(TlsSession& session) const EXCLUDES(mutex_);

  State state() const EXCLUDES(mutex_);

 private:
  class Context;
  Status Put(const TlsSettings& settings, CertificateSource& source) EXCLUDES(mutex_);

  const Clock& clock_;
  Mutex apply_mutex_;  // one change at a time; taken before mutex_
  TlsSettings settings_ GUARDED_BY(apply_mutex_);
  std::shared_ptr<CertificateSource> source_ GUARDED_BY(apply_mutex_);
  mutable Mutex mutex_;
  std::shared_ptr<const Context> context_ GUARDED_BY(mutex_);
  State state_ GUARDED_BY(mutex_);
};

}  // namespace spire_exporter

#endif  // EXPORTER_TLS_TLS_SERVER_H_
