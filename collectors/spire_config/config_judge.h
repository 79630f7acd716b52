// What one of SPIRE's configuration files means: the values that hold, SPIRE's defaults where it is
// silent, and what should not be as it is. Pure.
//
// The defaults are those of SPIRE 1.15.3: pkg/server/credtemplate/builder.go (a CA 24 h, an
// X.509-SVID 1 h, a JWT-SVID 5 min, an agent's SVID as long as an X.509-SVID), pkg/agent/manager
// (sync every 5 s), cmd/spire-agent/cli/run (rebootstrap `never`, after 10 min), cmd/spire-server
// (port 8081, both rate limits on). They have been the same since 1.7.
#ifndef COLLECTORS_SPIRE_CONFIG_CONFIG_JUDGE_H_
#define COLLECTORS_SPIRE_CONFIG_CONFIG_JUDGE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/clients/spire/runway_facts.h"
#include "collectors/clients/spire_config/config_tree.h"
#include "collectors/clients/spire_config/settings.h"
#include "exporter/base/clock.h"

namespace spire_exporter::spire_config {

// Where this process expects SPIRE's telemetry; empty where it does not.
struct OwnTelemetry {
  std::vector<std::string> listen;  // `unixgram:///run/spire-exporter/dogstatsd.sock`
  std::string scrape_url;
};

struct TimeSetting {
  std::string_view name;  // SPIRE's own, static
  Duration value{0};
  bool from_file = false;  // else SPIRE's default
};

struct ConfigView {
  std::string_view component;      // `server`, `agent`
  std::vector<TimeSetting> times;  // those that are known
  // Each pair once, both from closed sets, what is not SPIRE's own as `other`.
  std::vector<std::pair<std::string_view, std::string_view>> plugins;
  // By rule; a rule that cannot be judged is missing.
  std::map<std::string_view, uint64_t> findings;
  std::map<std::string_view, bool> features;
  std::optional<uint64_t> federates_with;  // trust domains, of a server
  // 48 bits of the settings that all of one kind should share; absent when one is not known.
  std::optional<uint64_t> fingerprint;
  spire::SpireConfigFact fact;
};

ConfigView JudgeServer(const Node& tree, const OwnTelemetry& own);
ConfigView JudgeAgent(const Node& tree, const OwnTelemetry& own);

}  // namespace spire_exporter::spire_config

#endif  // COLLECTORS_SPIRE_CONFIG_CONFIG_JUDGE_H_
