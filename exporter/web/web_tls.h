// TLS as the web configuration wants it: from files, or with the SVID of a Workload API and files
// to fall back to; what of it is in force, for metrics, pages and the log.
#ifndef EXPORTER_WEB_WEB_TLS_H_
#define EXPORTER_WEB_WEB_TLS_H_

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "exporter/base/clock.h"
#include "exporter/base/logger.h"
#include "exporter/base/mutex.h"
#include "exporter/base/result.h"
#include "exporter/metrics/family.h"
#include "exporter/tls/tls_server.h"
#include "exporter/tls/workload_source.h"

namespace spire_exporter {

// The families of WebTls::AddTo().
std::span<const FamilyDescription* const> WebTlsFamilies();

// Whether Apply() would take the files that the settings name as they are now: with `spiffe` those
// of its fallback alone.
Status CheckTlsFiles(const TlsSettings& settings);

// Apply() and Refresh() by one thread at a time, the rest safe from any.
class WebTls {
 public:
  // The references outlive this. `make` may be empty: then `spiffe` is an error. `changed` is
  // called, from another thread, when Refresh() has something to do.
  WebTls(const Clock& clock, Logger& logger, MakeWorkloadSource make,
         std::function<void()> changed);

  // Takes settings that have been read well. One whose Workload API has sent nothing yet is good;
  // an SVID that came over the same socket is kept. A failure changes nothing.
  Status Apply(const TlsSettings& settings) EXCLUDES(mutex_);
  // Puts to use what has changed, and sees whether the fallback would do. Logs once for each change
  // of what the Workload API says.
  Status Refresh() EXCLUDES(mutex_);

  const TlsServer& server() const { return server_; }
  // What no handshake is answered for yet, as a line for a page; empty when they are.
  std::string Waiting() const EXCLUDES(mutex_);
  void AddTo(FamilyBuilder& families) const EXCLUDES(mutex_);

 private:
  struct Workload {
    std::string socket;
    std::shared_ptr<WorkloadSource> source;
  };
  std::shared_ptr<WorkloadSource> workload() const EXCLUDES(mutex_);
  Status CheckFallback() EXCLUDES(mutex_);
  void LogChange() EXCLUDES(mutex_);

  const Clock& clock_;
  Logger& logger_;
  const MakeWorkloadSource make_;
  const std::function<void()> changed_;
  TlsServer server_;
  // Of the thread that applies.
  std::shared_ptr<CertificateSource> fallback_;
  TlsSettings settings_;
  std::optional<TlsMaterial> checked_fallback_;
  std::optional<WorkloadSource::Problem> logged_;
  mutable Mutex mutex_;
  std::optional<Workload> workload_ GUARDED_BY(mutex_);
};

}  // namespace spire_exporter

#endif  // EXPORTER_WEB_WEB_TLS_H_
