#include "exporter/web/web_config_test_util.h"

#include "exporter/config/yaml.h"

namespace spire_exporter {

Result<WebConfig> ReadTestConfig(const std::string& text) {
  const Result<ConfigNode> tree = ParseYaml(text, "web.yml");
  if (!tree.ok()) return tree.error();
  return ReadWebConfig(*tree, "/etc/web");
}

std::string TestConfigError(const std::string& text) {
  const Result<WebConfig> config = ReadTestConfig(text);
  return config.ok() ? "no error" : config.error().ToString();
}

}  // namespace spire_exporter
