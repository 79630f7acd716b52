// What the SPIFFE Workload API serves this process, as certificates for TLS on either side.
#ifndef COLLECTORS_CLIENTS_WORKLOAD_WORKLOAD_CERTIFICATES_H_
#define COLLECTORS_CLIENTS_WORKLOAD_WORKLOAD_CERTIFICATES_H_

#include <condition_variable>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "collectors/clients/spire/workload_api.h"
#include "exporter/base/clock.h"
#include "exporter/base/mutex.h"
#include "exporter/base/result.h"
#include "exporter/tls/workload_source.h"

namespace spire_exporter {

// The default SVID of a message with the bundles that came along, as PEM. An error for what no TLS
// server could serve with: torn certificates, a key that is another's, no SPIFFE ID. Ended is no
// error. A federated bundle that cannot be read is left out.
Result<TlsMaterial> MaterialOf(const spire::X509Context& context);

// Watches on a thread of its own from the beginning to the end of its life. Safe from any thread.
class WorkloadCertificates final : public WorkloadSource {
 public:
  // spire::WorkloadApi::WatchX509Svid() or what stands in for it: returns once stop is requested.
  using Watch = std::function<void(const std::stop_token& stop,
                                   const std::function<void(Result<spire::X509Context>)>& handler)>;

  // `clock` outlives this. `changed` as MakeWorkloadSource has it; may be empty.
  WorkloadCertificates(Watch watch, const Clock& clock, std::function<void()> changed);
  // Over a Workload API's socket; kInvalidArgument when `socket` is no address of one. Nothing need
  // be there yet.
  static Result<std::shared_ptr<WorkloadCertificates>> OverSocket(const std::string& socket,
                                                                  const Clock& clock,
                                                                  std::function<void()> changed);
  ~WorkloadCertificates() override;

  Result<TlsMaterial> Load() override EXCLUDES(mutex_);
  bool waiting() const override EXCLUDES(mutex_);
  State state() const override EXCLUDES(mutex_);

  // Until the first SVID has come, the Workload API has failed, the deadline has passed or stop is
  // requested; `clock` is a real one.
  void AwaitFirst(const Deadline& deadline, const Clock& clock, std::stop_token stop)
      EXCLUDES(mutex_);

 private:
  void Take(Result<spire::X509Context> message) EXCLUDES(mutex_);

  const Watch watch_;
  const Clock& clock_;
  const std::function<void()> changed_;
  mutable Mutex mutex_;
  std::condition_variable_any spoke_;
  std::optional<TlsMaterial> material_ GUARDED_BY(mutex_);
  State state_ GUARDED_BY(mutex_);
  std::jthread thread_;  // last
};

}  // namespace spire_exporter

#endif  // COLLECTORS_CLIENTS_WORKLOAD_WORKLOAD_CERTIFICATES_H_
