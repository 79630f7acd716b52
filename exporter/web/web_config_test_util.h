// For tests: a web configuration from its text.
#ifndef EXPORTER_WEB_WEB_CONFIG_TEST_UTIL_H_
#define EXPORTER_WEB_WEB_CONFIG_TEST_UTIL_H_

#include <string>

#include "exporter/base/result.h"
#include "exporter/web/web_config.h"

namespace spire_exporter {

// As the file /etc/web/web.yml.
Result<WebConfig> ReadTestConfig(const std::string& text);

// What is wrong with it, or `no error`.
std::string TestConfigError(const std::string& text);

}  // namespace spire_exporter

#endif  // EXPORTER_WEB_WEB_CONFIG_TEST_UTIL_H_
