// The web configuration file: that of Prometheus' exporter-toolkit
// (github.com/prometheus/exporter-toolkit, docs/web-configuration.md), and beyond it SPIFFE
// and a bearer token. docs/reference/web-configuration.md has every key.
#ifndef EXPORTER_WEB_WEB_CONFIG_H_
#define EXPORTER_WEB_WEB_CONFIG_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "exporter/base/clock.h"
#include "exporter/base/config_node.h"
#include "exporter/base/result.h"
#include "exporter/http/http_types.h"
#include "exporter/tls/tls_settings.h"
#include "exporter/web/spiffe_rule.h"

namespace spire_exporter {

struct RateLimit {
  Duration interval{};  // one more request is allowed after each
  int64_t burst = 0;    // at most that many at once
};

// Immutable once read.
struct WebConfig {
  std::optional<TlsSettings> tls;
  std::vector<std::string> client_allowed_sans;  // one of them must be in the client's certificate
  std::vector<SpiffeRule> spiffe_rules;      // and one of these must match it, where there are any
  HttpFields headers;                        // of every response
  std::map<std::string, std::string> users;  // name to bcrypt hash
  std::string bearer_token_file;
  std::optional<RateLimit> rate_limit;

  bool asks_for_certificate() const {
    return !client_allowed_sans.empty() || !spiffe_rules.empty();
  }
  bool asks_for_password() const { return !users.empty() || !bearer_token_file.empty(); }
};

// Reads strictly; no file that it names is opened. Relative paths are relative to `folder`, the one
// of the web configuration file. An error names the place and what was expected; no hash is ever in
// it.
Result<WebConfig> ReadWebConfig(const ConfigNode& file, const std::string& folder);

}  // namespace spire_exporter

#endif  // EXPORTER_WEB_WEB_CONFIG_H_
