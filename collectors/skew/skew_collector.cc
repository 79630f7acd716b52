#include "collectors/skew/skew_collector.h"

#include <string>

#include "collectors/clients/spire/runway_facts.h"
#include "collectors/clients/spire/version_facts.h"
#include "collectors/skew/skew_families.h"
#include "collectors/skew/skew_judge.h"
#include "exporter/base/text.h"

namespace spire_exporter::skew {
namespace {

// Telemetry says it every 15 s, the cheap questions to the database come every 15 s up to an hour,
// and whole tables are read every ten minutes up to a day.
constexpr Duration kServerAge = std::chrono::minutes(2);
constexpr Duration kDatabaseAge = std::chrono::hours(2);
constexpr Duration kAgentsAge = std::chrono::hours(25);

template <typename T>
std::shared_ptr<const T> Recent(const CollectContext& context, std::string_view subject,
                                Duration age_max) {
  const auto fact = context.facts.Latest<T>(subject);
  if (!fact || context.clock.Steady() - fact->at > age_max) return nullptr;
  return fact->value;
}

class SkewCollector final : public Collector {
 public:
  explicit SkewCollector(const SkewOptions& options)
      : options_(options), judge_(options.roll_window) {}

  std::string_view Name() const override { return "skew"; }
  std::string_view Target() const override { return "versions"; }
  std::string Fingerprint() const override {
    return FormatDuration(options_.interval) + ' ' + FormatDuration(options_.roll_window);
  }
  Duration Period() const override { return options_.interval; }
  Duration Timeout() const override { return std::chrono::seconds(1); }

  Result<Reading> Collect(const CollectContext& context) override {
    Seen seen;
    if (const auto server = Recent<spire::VersionFact>(context, "server", kServerAge)) {
      seen.server = server->version;
    }
    seen.database = Recent<spire::SchemaVersionFact>(context, "datastore", kDatabaseAge);
    seen.agents = Recent<spire::AgentVersionsFact>(context, "agents", kAgentsAge);
    Reading reading;
    AddSkew(judge_.Judge(seen, context.clock.Steady(), context.clock.System()), reading.families);
    return reading;
  }

 private:
  const SkewOptions options_;
  SkewJudge judge_;
};

}  // namespace

std::unique_ptr<Collector> MakeSkewCollector(const SkewOptions& options) {
  return std::make_unique<SkewCollector>(options);
}

}  // namespace spire_exporter::skew
