// The web configuration file comes from people and their tools: whatever it holds, it is taken or
// refused in one line that begins with a place, and it is read the same the second time.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "exporter/config/yaml.h"
#include "exporter/web/web_config.h"

namespace {

void Demand(bool good) {
  if (!good) std::abort();
}

// An SVID and its bundles stand in for certificate, key and client CA; none may be beside them.
void DemandWorkable(const spire_exporter::TlsSettings& tls) {
  if (!tls.spiffe) {
    Demand(!tls.certificate.empty() && !tls.key.empty());
    Demand(tls.client_ca.empty() != Verifies(tls.client_auth));
    return;
  }
  Demand(tls.certificate.empty() && tls.key.empty() && tls.client_ca.empty());
  Demand(!tls.spiffe->socket.empty());
  Demand(tls.spiffe->fallback_certificate.empty() == tls.spiffe->fallback_key.empty());
  if (!tls.spiffe->fallback_client_ca.empty()) Demand(!tls.spiffe->fallback_key.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace spire_exporter;
  const std::string text(data, data + size);
  const Result<ConfigNode> tree = ParseYaml(text, "web.yml");
  if (!tree.ok()) return 0;
  const Result<WebConfig> config = ReadWebConfig(*tree, "/etc");
  const Result<WebConfig> again = ReadWebConfig(*tree, "/etc");
  Demand(config.ok() == again.ok());
  if (!config.ok()) {
    Demand(config.error().ToString() == again.error().ToString());
    Demand(!config.error().what.empty());
    Demand(config.error().what.find('\n') == std::string::npos);
    return 0;
  }
  Demand(config->users == again->users);
  // Nothing that could not work gets through.
  if (config->tls) DemandWorkable(*config->tls);
  if (config->asks_for_certificate()) Demand(config->tls && Verifies(config->tls->client_auth));
  if (config->rate_limit) Demand(config->rate_limit->burst > 0);
  return 0;
}
