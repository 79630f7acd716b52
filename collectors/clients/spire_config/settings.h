// What SPIRE's configuration files say, as values with their origin.
#ifndef COLLECTORS_CLIENTS_SPIRE_CONFIG_SETTINGS_H_
#define COLLECTORS_CLIENTS_SPIRE_CONFIG_SETTINGS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/clients/spire_config/config_tree.h"
#include "exporter/base/clock.h"

namespace spire_exporter::spire_config {

// Everything that is ever kept of server.conf or agent.conf.
std::span<const KeepRule> ServerRules();
std::span<const KeepRule> AgentRules();

enum class Origin {
  kAbsent,  // the file is silent: SPIRE's default holds
  kFile,
  kUnknown,  // it is there, but SPIRE replaces it from its environment, or does not take it
};

template <typename T>
struct Setting {
  std::optional<T> value;  // with Origin::kFile alone
  Origin origin = Origin::kAbsent;
};

struct PluginSetting {
  std::string type;       // `NodeAttestor`, as SPIRE spells it where it is a known one
  std::string name;       // `x509pop`
  bool external = false;  // a program of its own
  bool enabled = true;
  bool operator==(const PluginSetting&) const = default;
};

// Reads from a tree of ServerRules() or AgentRules(). Of a setting that is written several times
// the last one counts, as for SPIRE; an empty text counts as silence, as there. Refers to the tree.
class SettingsReader {
 public:
  explicit SettingsReader(const Node& tree) : tree_(tree) {}

  Setting<std::string> Text(std::string_view path);
  // true, false, and what Go's strconv.ParseBool takes for them.
  Setting<bool> Bool(std::string_view path);
  Setting<int64_t> Number(std::string_view path);
  // As Go writes durations: `1h30m`, no days.
  Setting<Duration> Time(std::string_view path);
  // Whether something that is not empty stands there; also for what is not kept.
  bool Present(std::string_view path) const;
  // The digests of a list's items, or of the keys of an object, in rising order.
  std::vector<uint64_t> Digests(std::string_view path) const;
  // All plugins, by type and name; each once.
  std::vector<PluginSetting> Plugins();

  // How many readings so far gave Origin::kUnknown.
  size_t unknown() const { return unknown_; }

 private:
  // The last value at a path, null when there is none or an empty one.
  const Node* Last(std::string_view path) const;
  template <typename T>
  Setting<T> Known(std::optional<T> value);

  const Node& tree_;
  size_t unknown_ = 0;
};

}  // namespace spire_exporter::spire_config

#endif  // COLLECTORS_CLIENTS_SPIRE_CONFIG_SETTINGS_H_
