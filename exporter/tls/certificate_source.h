// Where a listener's certificate, key and trusted roots come from: files and inline text now, the
// SPIFFE Workload API when its client stands.
#ifndef EXPORTER_TLS_CERTIFICATE_SOURCE_H_
#define EXPORTER_TLS_CERTIFICATE_SOURCE_H_

#include <string>

#include "exporter/base/result.h"
#include "exporter/tls/tls_settings.h"

namespace spire_exporter {

// PEM text, as it was found; whether it fits together is for TlsServer to see.
struct TlsMaterial {
  std::string certificate;  // leaf first
  std::string key;
  std::string client_ca;  // empty where no client is verified
  // What messages call them: the file, or the key of the configuration.
  std::string certificate_name, key_name, client_ca_name;
};

class CertificateSource {
 public:
  virtual ~CertificateSource() = default;
  // What is there now. May read files; called from one thread, never from the door's. An error
  // names the file.
  virtual Result<TlsMaterial> Load() = 0;
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

}  // namespace spire_exporter

#endif  // EXPORTER_TLS_CERTIFICATE_SOURCE_H_
