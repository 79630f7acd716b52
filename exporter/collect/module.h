// A switched-on collector as a whole: its targets and live sources, how it takes new options, and
// how the catalogue describes it.
#ifndef EXPORTER_COLLECT_MODULE_H_
#define EXPORTER_COLLECT_MODULE_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/base/clock.h"
#include "exporter/base/config_node.h"
#include "exporter/base/logger.h"
#include "exporter/base/result.h"
#include "exporter/collect/collector.h"
#include "exporter/collect/shared_clients.h"
#include "exporter/metrics/description.h"

namespace spire_exporter {

enum class Role { kServer, kAgent, kStandalone };
std::string_view RoleName(Role role);

// What every module is handed. The references outlive the module.
struct ModuleDeps {
  const Clock& clock;
  Logger& logger;
  Role role = Role::kStandalone;
  // What the modules of one process share.
  std::shared_ptr<SharedClients> shared = std::make_shared<SharedClients>();
};

// One line of `spire-exporter check`: something that was tried, how it went, and what mends it.
struct CheckLine {
  std::string subject;  // `telemetry scrape http://127.0.0.1:9988/`
  bool good = false;
  std::string detail;  // what works, or which right or file is missing
  std::string remedy;  // the command or setting that mends it; empty when good
};

// Not safe from several threads: the app calls it from its main thread. Destroyed after the runners
// of its targets.
class Module {
 public:
  virtual ~Module() = default;

  // Takes validated options, the first time and at every reload; keeps what has not changed
  // (sockets, series). Starts the module's own threads. Fails without having changed anything.
  virtual Status Apply(const ConfigNode& config) = 0;
  // The targets of the options last applied, new objects each time; the scheduler keeps a running
  // one whose fingerprint is equal. A target may refer to the module.
  virtual std::vector<std::unique_ptr<Collector>> Targets() = 0;
  // The module's live source, or null. The same one for the module's lifetime.
  virtual LiveSource* Live() { return nullptr; }
  // Connects once to everything that the options name, within the deadline. Called on a module of
  // its own that was never applied, perhaps beside a running exporter: it takes over no socket and
  // leaves nothing behind.
  virtual std::vector<CheckLine> Check(const ConfigNode& config, const Deadline& deadline) = 0;
};

// A flag of `spire-exporter grants`. All views have static storage.
struct GrantFlag {
  std::string_view name;       // `level`, given as --level=1
  std::string_view value;      // what --help calls its value; empty for a switch, which has none
  std::string_view otherwise;  // the value when it is not given
  std::string_view help;
};
// Every flag by its name with the value that holds; a switch is `true` or empty.
using GrantChoices = std::map<std::string, std::string, std::less<>>;

// How a collector's rights at its source are given to it and taken away again.
struct Grants {
  std::span<const GrantFlag> flags;
  // The text to hand to whoever may give the rights. kInvalidArgument says which choice cannot be.
  Result<std::string> (*text)(const GrantChoices& choices) = nullptr;
};

// A line of the catalogue. All views and pointers have static storage.
struct CatalogEntry {
  std::string_view
      name;  // also the flag --collector.<name> and the top-level configuration key it reads
  std::string_view summary;  // one line for --help
  bool (*on_by_default)(Role role);
  std::span<const FamilyDescription* const> families;
  // Reads the options strictly without acting on them. `config` is the whole tree.
  Status (*validate)(const ConfigNode& config, Role role);
  std::unique_ptr<Module> (*make)(const ModuleDeps& deps);
  // The whole tree with the collector's defaults filled in where it is silent; `config` has been
  // validated.
  ConfigNode (*with_defaults)(const ConfigNode& config, Role role);
  // The dotted paths of its keys, which environment variables may name: scalars may be set by them,
  // lists may not.
  std::span<const std::string_view> scalar_keys = {};
  std::span<const std::string_view> list_keys = {};
  // Top-level keys besides `name` that it reads.
  std::span<const std::string_view> other_keys = {};
  // What `spire-exporter grants` prints; at most one line of the catalogue has it.
  std::optional<Grants> grants = {};
};

}  // namespace spire_exporter

#endif  // EXPORTER_COLLECT_MODULE_H_
