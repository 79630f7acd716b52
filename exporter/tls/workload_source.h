// The SPIFFE Workload API as a source of certificates. Who speaks it is not known here: whoever
// puts the process together hands in a function that makes the source.
#ifndef EXPORTER_TLS_WORKLOAD_SOURCE_H_
#define EXPORTER_TLS_WORKLOAD_SOURCE_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "exporter/base/result.h"
#include "exporter/tls/certificate_source.h"

namespace spire_exporter {

// Keeps the last good SVID and bundles for as long as it lives, whatever becomes of the agent.
// Load() is kUnavailable until the first has come, and then never an error.
class WorkloadSource : public CertificateSource {
 public:
  enum class Problem {
    kNone,
    kUnavailable,  // no agent, or one that does not answer
    kDenied,       // no entry is for this process
    kUnusable,     // what came cannot be served with; the last good stays
  };
  struct State {
    std::optional<double> received_seconds;  // Unix time of the last good SVID's coming
    Problem problem = Problem::kUnavailable;
    std::string error;  // of the problem; no SPIFFE ID in it
  };
  // Safe from any thread.
  virtual State state() const = 0;
};

// `socket` is the address of the Workload API. `changed` is called, from a thread of the source,
// after every change of what Load() or state() gives; not any more once the source is gone.
using MakeWorkloadSource = std::function<Result<std::shared_ptr<WorkloadSource>>(
    const std::string& socket, std::function<void()> changed)>;

}  // namespace spire_exporter

#endif  // EXPORTER_TLS_WORKLOAD_SOURCE_H_
