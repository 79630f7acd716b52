#include "collectors/telemetry/digest_collector.h"

#include <string>
#include <utility>

#include "collectors/clients/spire/runway_facts.h"
#include "collectors/telemetry/digest.h"
#include "exporter/base/text.h"

namespace spire_exporter::telemetry {
namespace {

class DigestCollector final : public Collector {
 public:
  DigestCollector(Duration period, LiveSource& source, std::function<bool()> stream_speaks)
      : period_(period), source_(source), stream_speaks_(std::move(stream_speaks)) {}

  std::string_view Name() const override { return "telemetry"; }
  std::string_view Target() const override { return "digest"; }
  std::string Fingerprint() const override { return FormatDuration(period_); }
  Duration Period() const override { return period_; }
  Duration Timeout() const override { return std::chrono::seconds(1); }

  Result<Reading> Collect(const CollectContext& context) override {
    // Before the snapshot: what it shows is then not newer than it is taken for.
    const bool speaks = stream_speaks_();
    const auto snapshot = source_.Acquire(context.deadline);
    if (snapshot == nullptr) {
      return Error{Code::kUnavailable, "the stream has given no snapshot yet", "", true};
    }
    const SteadyTime now = context.clock.Steady();
    const DigestView view = digest_.Take(*snapshot, speaks, now, context.clock.System());
    Reading reading;
    if (view.agent) reading.facts.push_back(Fact::Make("agent", now, *view.agent));
    for (const auto& [subject, version] :
         {std::pair{"agent", &view.agent_version}, std::pair{"server", &view.server_version}}) {
      if (version->empty()) continue;
      reading.facts.push_back(Fact::Make(subject, now, spire::VersionFact{*version, "telemetry"}));
    }
    return reading;
  }

 private:
  const Duration period_;
  LiveSource& source_;
  const std::function<bool()> stream_speaks_;
  Digest digest_;
};

}  // namespace

std::unique_ptr<Collector> MakeDigestCollector(Duration period, LiveSource& source,
                                               std::function<bool()> stream_speaks) {
  return std::make_unique<DigestCollector>(period, source, std::move(stream_speaks));
}

}  // namespace spire_exporter::telemetry
