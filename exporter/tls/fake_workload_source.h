// For tests: a Workload API that serves what the test says.
#ifndef EXPORTER_TLS_FAKE_WORKLOAD_SOURCE_H_
#define EXPORTER_TLS_FAKE_WORKLOAD_SOURCE_H_

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "exporter/base/mutex.h"
#include "exporter/tls/test_certificates.h"
#include "exporter/tls/workload_source.h"

namespace spire_exporter {

// An SVID of example.org with the root that signed it.
inline TlsMaterial SvidMaterial(const TestCertificate& leaf, const TestCertificate& root) {
  TlsMaterial material;
  material.certificate = PemOf(leaf);
  material.key = KeyPemOf(leaf);
  material.certificate_name = material.key_name = "SVID";
  material.trust_domain = "example.org";
  material.spiffe_roots["example.org"] = PemOf(root);
  material.origin = CertificateOrigin::kWorkloadApi;
  return material;
}

class FakeWorkloadSource final : public WorkloadSource {
 public:
  Result<TlsMaterial> Load() override EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (!material_) return Error{Code::kUnavailable, "no SVID has come", "", true};
    return *material_;
  }
  bool waiting() const override EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return !material_.has_value();
  }
  State state() const override EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return state_;
  }

  void Serve(TlsMaterial material, double now_seconds = 0) EXCLUDES(mutex_) {
    std::function<void()> changed;
    {
      const MutexLock lock(mutex_);
      material_ = std::move(material);
      state_ = {now_seconds, Problem::kNone, ""};
      changed = changed_;
    }
    if (changed) changed();
  }
  void Fail(Problem problem, std::string error) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    state_.problem = problem;
    state_.error = std::move(error);
  }
  void OnChange(std::function<void()> changed) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    changed_ = std::move(changed);
  }

 private:
  mutable Mutex mutex_;
  std::optional<TlsMaterial> material_ GUARDED_BY(mutex_);
  State state_ GUARDED_BY(mutex_);
  std::function<void()> changed_ GUARDED_BY(mutex_);
};

}  // namespace spire_exporter

#endif  // EXPORTER_TLS_FAKE_WORKLOAD_SOURCE_H_
