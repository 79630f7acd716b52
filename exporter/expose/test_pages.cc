#include "exporter/expose/test_pages.h"

#include <array>
#include <limits>

namespace spire_exporter {
namespace {

constexpr std::array<std::string_view, 3> kPhases = {"idle", "rotating", "waiting"};
constexpr std::array kServiceLabel = {LabelDescription{"service", "of the call"}};
constexpr std::array kPathLabel = {LabelDescription{"path", "anything"}};
constexpr std::array kVersionLabels = {LabelDescription{"revision", "commit"},
                                       LabelDescription{"version", "release"}};
constexpr std::array kPhaseLabels = {LabelDescription{"server", "which"},
                                     LabelDescription{"lab_phase", "state", kPhases}};
constexpr std::array kModeLabels = {LabelDescription{"mode", "state", kPhases}};

constexpr FamilyDescription Described(std::string_view name, MetricType type, std::string_view unit,
                                      std::span<const LabelDescription> labels,
                                      std::string_view help) {
  FamilyDescription description;
  description.name = name;
  description.type = type;
  description.unit = unit;
  description.labels = labels;
  description.help = help;
  return description;
}

constexpr FamilyDescription kBuild =
    Described("lab_build_info", MetricType::kInfo, "", kVersionLabels, "What it was built from.");
constexpr FamilyDescription kCalls = Described("lab_calls_total", MetricType::kCounter, "",
                                               kServiceLabel, "Calls of every service.");
constexpr FamilyDescription kBusy = Described("lab_busy_seconds_total", MetricType::kCounter,
                                              "seconds", {}, "Seconds spent in calls.");
constexpr FamilyDescription kForeign =
    Described("lab_foreign", MetricType::kCounter, "", {}, "A counter whose name does not say so.");
constexpr FamilyDescription kOdd =
    Described("lab_odd_text", MetricType::kGauge, "", kPathLabel,
              "A backslash \\, a \"quote\" and a line\nfeed, in help and in labels.");
constexpr FamilyDescription kNumbers = Described("lab_numbers_ratio", MetricType::kGauge, "ratio",
                                                 kPathLabel, "Numbers of all kinds.");
constexpr FamilyDescription kLatency =
    Described("lab_call_duration_seconds", MetricType::kHistogram, "seconds", kServiceLabel,
              "How long calls took.");
constexpr FamilyDescription kRemaining =
    Described("lab_remaining_seconds", MetricType::kGaugeHistogram, "seconds", kServiceLabel,
              "What is left of each certificate.");
constexpr FamilyDescription kPhase =
    Described("lab_phase", MetricType::kStateSet, "", kPhaseLabels, "What each server is doing.");
constexpr FamilyDescription kMode = Described("lab_mode_state", MetricType::kStateSet, "",
                                              kModeLabels, "A state set by another label.");
constexpr FamilyDescription kMystery =
    Described("lab_mystery", MetricType::kUnknown, "", {}, "Nobody knows.");
constexpr FamilyDescription kSilent =
    Described("lab_silent", MetricType::kGauge, "", {}, "Described, and without a value.");

void AddNumbers(FamilyBuilder& builder) {
  using Limits = std::numeric_limits<double>;
  const std::pair<std::string_view, double> numbers[] = {
      {"zero", 0.0},
      {"minus_zero", -0.0},
      {"minus_one", -1},
      {"sum_of_tenths", 0.1 + 0.2},
      {"last_integer", 999'999'999'999'999},
      {"first_float", 1e15},
      {"large", 1.7976931348623157e308},
      {"least_normal", Limits::min()},
      {"least", Limits::denorm_min()},
      {"nan", Limits::quiet_NaN()},
      {"inf", Limits::infinity()},
      {"minus_inf", -Limits::infinity()},
  };
  for (const auto& [name, value] : numbers) builder.Add(kNumbers, {name}, value);
}

void AddHistograms(FamilyBuilder& builder) {
  constexpr double kCreated = 1'800'000'000.25;
  builder.Add(kLatency, {"agent"},
              ClassicHistogram({1e-5, 0.005, 1, 10, 86400, 1e6}, {0, 7, 8, 8, 9, 9}, 10, 1234567.5),
              kCreated);
  builder.Add(kLatency, {"unplaced"}, ClassicHistogram({}, {}, 3, 0.75), kCreated);
  builder.Add(kLatency, {"not_a_number"},
              ClassicHistogram({1}, {1}, 2, std::numeric_limits<double>::quiet_NaN()));
  builder.Add(kRemaining, {"expired"}, ClassicHistogram({0, 3600}, {5, 5}, 5, -40));
  builder.Add(kRemaining, {"mixed"}, ClassicHistogram({-60, 0, 3600}, {1, 2, 9}, 12, 7200.5));
}

}  // namespace

std::shared_ptr<const HistogramValue> ClassicHistogram(std::vector<double> bounds,
                                                       std::vector<uint64_t> cumulative,
                                                       uint64_t count, double sum) {
  auto value = std::make_shared<HistogramValue>();
  value->count = count;
  value->sum = sum;
  value->bounds = std::make_shared<const std::vector<double>>(std::move(bounds));
  value->cumulative = std::move(cumulative);
  return value;
}

std::shared_ptr<const Snapshot> EveryType() {
  FamilyBuilder builder;
  builder.AddState(kPhase, {"b"}, "rotating");
  builder.AddState(kPhase, {"a"}, "idle");
  builder.AddState(kMode, {}, "waiting");
  builder.AddInfo(kBuild, {"0123abcd", "1.2.3"});
  builder.Add(kCalls, {"svid"}, 12, 1'800'000'000);
  builder.Add(kCalls, {"agent"}, 0, 1'800'000'001.5);
  builder.Add(kCalls, {""}, 3);
  builder.Add(kBusy, {}, 0.30000000000000004, 1'800'000'000);
  builder.Add(kForeign, {}, 5, 1'800'000'000);
  builder.Add(kOdd, {"back\\slash"}, 1);
  builder.Add(kOdd, {"a \"quote\", a line\nfeed"}, 2);
  builder.Add(kOdd, {"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x94\x91"}, 3);
  builder.Add(kOdd, {"broken \xC3"}, 4);
  builder.Add(kMystery, {}, 42.5);
  builder.Declare(kSilent);
  AddNumbers(builder);
  AddHistograms(builder);
  return Take(builder);
}

}  // namespace spire_exporter
