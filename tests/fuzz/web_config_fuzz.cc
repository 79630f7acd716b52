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
  if (config->tls) Demand(!config->tls->certificate.empty() && !config->tls->key.empty());
  if (config->asks_for_certificate()) Demand(config->tls && !config->tls->client_ca.empty());
  if (config->rate_limit) Demand(config->rate_limit->burst > 0);
  return 0;
}
