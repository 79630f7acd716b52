#include "collectors/spire_config/audit_collector.h"

#include <array>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "collectors/spire_config/audit_line.h"
#include "collectors/spire_config/config_families.h"
#include "collectors/spire_config/log_tail.h"

namespace spire_exporter::spire_config {
namespace {

constexpr Duration kAuditAge = std::chrono::minutes(2);
constexpr uint32_t kEventSeriesMax = 200;
constexpr std::string_view kFromLog = "SPIRE's log file";
constexpr std::array<std::string_view, 3> kKinds = {"audit", "malformed", "other"};

constexpr std::array kLogStateLabels = {
    LabelDescription{"state", "whether it could be read, and why not", kFileStates}};
constexpr std::array kEventLabels = {
    LabelDescription{"method", "last name of the API's method", kAuditMethods},
    LabelDescription{"status", "how it ended", kAuditStatuses},
    LabelDescription{"caller", "what the caller was let in as; anyone: without any right",
                     kAuditCallers}};
constexpr std::array kKindLabels = {
    LabelDescription{"kind", "malformed: has the word audit and cannot be read", kKinds}};

constexpr FamilyDescription kLogState{
    .name = "spire_audit_file_state",
    .type = MetricType::kStateSet,
    .labels = kLogStateLabels,
    .help = "Whether the file with SPIRE's audit log could be read.",
    .source = kFromLog,
    .series_max = static_cast<uint32_t>(kFileStates.size()),
    .age_max = kAuditAge};
constexpr FamilyDescription kEvents{
    .name = "spire_audit_events_total",
    .type = MetricType::kCounter,
    .labels = kEventLabels,
    .help = "Calls in SPIRE's audit log, from when this process began to follow it.",
    .source = kFromLog,
    .series_max = kEventSeriesMax,
    .age_max = kAuditAge};
constexpr FamilyDescription kLines{
    .name = "spire_audit_lines_total",
    .type = MetricType::kCounter,
    .labels = kKindLabels,
    .help = "Lines that were read of the file with SPIRE's audit log.",
    .source = kFromLog,
    .series_max = static_cast<uint32_t>(kKinds.size()),
    .age_max = kAuditAge};
constexpr FamilyDescription kLong{
    .name = "spire_audit_dropped_lines_total",
    .type = MetricType::kCounter,
    .help = "Lines of SPIRE's log that were dropped because they are longer than 64 KiB.",
    .source = kFromLog,
    .age_max = kAuditAge};
constexpr FamilyDescription kSkipped{
    .name = "spire_audit_skipped_bytes_total",
    .type = MetricType::kCounter,
    .unit = "bytes",
    .help = "Bytes of SPIRE's log that were passed over because more came than can be read.",
    .source = kFromLog,
    .age_max = kAuditAge};
constexpr FamilyDescription kRotations{
    .name = "spire_audit_rotations_total",
    .type = MetricType::kCounter,
    .help = "Times that SPIRE's log was seen to begin anew, in a new file or in the same.",
    .source = kFromLog,
    .age_max = kAuditAge};
constexpr FamilyDescription kLast{.name = "spire_audit_last_event_timestamp_seconds",
                                  .unit = "seconds",
                                  .help = "When the last line of SPIRE's audit log was read.",
                                  .source = kFromLog,
                                  .age_max = kAuditAge};
constexpr const FamilyDescription* kAuditFamilies[] = {&kLogState, &kEvents,    &kLines, &kLong,
                                                       &kSkipped,  &kRotations, &kLast};

class AuditCollector final : public Collector {
 public:
  explicit AuditCollector(const SpireConfigOptions& options)
      : options_(options), tail_(options.audit_log) {}

  std::string_view Name() const override { return "spire_config"; }
  std::string_view Target() const override { return "audit_log"; }
  std::string Fingerprint() const override {
    return options_.audit_log + '\n' + std::to_string(options_.audit_interval.count());
  }
  Duration Period() const override { return options_.audit_interval; }
  Duration Timeout() const override { return std::chrono::seconds(5); }

  Result<Reading> Collect(const CollectContext& context) override {
    if (created_seconds_ == 0) created_seconds_ = UnixSeconds(context.clock.System());
    const uint64_t before = audit_;
    Reading reading;
    reading.problem =
        tail_.Look(context.deadline, context.clock, [this](std::string_view line) { Count(line); });
    const Code code = reading.problem.ok() ? Code::kOk : reading.problem.error().code;
    reading.families.AddState(kLogState, {}, FileStateOf(code));
    if (code == Code::kOk) seen_ = true;
    if (audit_ != before) last_ = UnixSeconds(context.clock.System());
    if (seen_) Show(reading.families);
    return reading;
  }

 private:
  using Key = std::tuple<size_t, size_t, size_t>;

  // A log that whoever writes it fills with every combination ends in one that is `other` all
  // through.
  Key KeyOf(const AuditEvent& event) const {
    const Key key{event.method, event.status, event.caller};
    if (events_.size() < kEventSeriesMax - 1 || events_.count(key) > 0) return key;
    return {kAuditMethods.size() - 1, kAuditStatuses.size() - 1, kAuditCallers.size() - 1};
  }

  void Count(std::string_view line) {
    AuditEvent event;
    switch (ReadAuditLine(line, &event)) {
      case LineKind::kAudit:
        ++audit_;
        ++events_[KeyOf(event)];
        break;
      case LineKind::kMalformed:
        ++malformed_;
        break;
      case LineKind::kOther:
        ++other_;
        break;
    }
  }

  void Show(FamilyBuilder& families) const {
    const auto add = [&](const FamilyDescription& family,
                         std::initializer_list<std::string_view> labels, uint64_t count) {
      families.Add(family, labels, static_cast<double>(count), created_seconds_);
    };
    families.Declare(kEvents);
    for (const auto& [key, count] : events_) {
      const auto& [method, status, caller] = key;
      add(kEvents, {kAuditMethods[method], kAuditStatuses[status], kAuditCallers[caller]}, count);
    }
    add(kLines, {"audit"}, audit_);
    add(kLines, {"malformed"}, malformed_);
    add(kLines, {"other"}, other_);
    add(kLong, {}, tail_.counts().long_lines);
    add(kSkipped, {}, tail_.counts().skipped_bytes);
    add(kRotations, {}, tail_.counts().rotations);
    if (last_) families.Add(kLast, {}, *last_);
  }

  const SpireConfigOptions options_;
  LogTail tail_;
  std::map<Key, uint64_t> events_;
  uint64_t audit_ = 0;
  uint64_t malformed_ = 0;
  uint64_t other_ = 0;
  bool seen_ = false;  // the file could be read once
  std::optional<double> last_;
  double created_seconds_ = 0;
};

}  // namespace

std::span<const FamilyDescription* const> AuditFamilies() {
  return kAuditFamilies;
}

std::unique_ptr<Collector> MakeAuditCollector(const SpireConfigOptions& options) {
  return std::make_unique<AuditCollector>(options);
}

CheckLine CheckAudit(const SpireConfigOptions& options, const Clock& clock,
                     const Deadline& deadline) {
  CheckLine line;
  line.subject = "spire_config " + options.audit_log;
  LogTail tail(options.audit_log);
  const Status looked = tail.Look(deadline, clock, [](std::string_view) {});
  line.good = looked.ok();
  if (line.good) {
    line.detail = "can be followed";
    return line;
  }
  line.detail = looked.error().ToString();
  line.remedy = looked.error().code == Code::kPermissionDenied
                    ? "let this process's user read the file"
                    : "set log_file and audit_log_enabled in SPIRE's configuration, and "
                      "spire_config.audit_log to that file";
  return line;
}

}  // namespace spire_exporter::spire_config
