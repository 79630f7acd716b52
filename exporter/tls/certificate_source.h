// Where a certificate, its key and trusted roots come from: files and inline text, the SPIFFE
// Workload API, or the one where the other has nothing.
#ifndef EXPORTER_TLS_CERTIFICATE_SOURCE_H_
#define EXPORTER_TLS_CERTIFICATE_SOURCE_H_

#include <map>
#include <memory>
#include <string>

#include "exporter/base/clock.h"
#include "exporter/base/result.h"
#include "exporter/tls/tls_settings.h"

namespace spire_exporter {

enum class CertificateOrigin { kFile, kWorkloadApi, kFallback };

// PEM text, as it was found; whether it fits together is for whoever uses it to see.
struct TlsMaterial {
  std::string certificate;  // leaf first
  std::string key;
  std::string client_ca;  // empty where no client is verified by it
  // What messages call them: the file, or the key of the configuration.
  std::string certificate_name, key_name, client_ca_name;
  // Of an SVID: its trust domain (`example.org`), and the roots of that and of federated ones, by
  // trust domain. Each vouches for the SPIFFE IDs of its own trust domain alone.
  std::string trust_domain;
  std::map<std::string, std::string> spiffe_roots;
  CertificateOrigin origin = CertificateOrigin::kFile;

  friend bool operator==(const TlsMaterial&, const TlsMaterial&) = default;
};

class CertificateSource {
 public:
  virtual ~CertificateSource() = default;
  // What is there now. May read files; called from one thread, never from the door's. An error
  // names the file.
  virtual Result<TlsMaterial> Load() = 0;
  // Whether nothing has come yet that will come by itself. Safe from any thread.
  virtual bool waiting() const { return false; }
};

// Reads the files of the settings each time. A file larger than 1 MiB is an error.
class FileCertificates final : public CertificateSource {
 public:
  explicit FileCertificates(const TlsSettings& settings)
      : certificate_(settings.certificate), key_(settings.key), client_ca_(settings.client_ca) {}
  Result<TlsMaterial> Load() override;

 private:
  const PemSource certificate_, key_, client_ca_;
};

// What the first source has while its certificate has not ended; else the second's certificate, key
// and client roots, with the roots by trust domain that the first had last. When the second has
// none either: what the first has.
class FallbackCertificates final : public CertificateSource {
 public:
  // `clock` outlives this.
  FallbackCertificates(std::shared_ptr<CertificateSource> first,
                       std::shared_ptr<CertificateSource> second, const Clock& clock)
      : first_(std::move(first)), second_(std::move(second)), clock_(clock) {}
  Result<TlsMaterial> Load() override;
  bool waiting() const override { return first_->waiting(); }

 private:
  const std::shared_ptr<CertificateSource> first_, second_;
  const Clock& clock_;
};

}  // namespace spire_exporter

#endif  // EXPORTER_TLS_CERTIFICATE_SOURCE_H_
