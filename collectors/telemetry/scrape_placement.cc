#include "collectors/telemetry/scrape_placement.h"

#include <algorithm>
#include <cmath>

namespace spire_exporter::telemetry {
namespace {

constexpr uint64_t kValuesMax = 32;
constexpr double kLn2 = 0.6931471805599453;
constexpr double kPowerMax = 64;
constexpr int kBendings = 12;
// Half of a native bucket at schema 3, and how far a step may be from what its quantiles say.
constexpr double kErrorShareMax = 0.04;
constexpr double kMisfitMax = 8;

bool Usable(const SummaryQuantiles& quantiles) {
  return quantiles[0] > 0 && quantiles[1] >= quantiles[0] && quantiles[2] >= quantiles[1] &&
         std::isfinite(quantiles[2]);
}

// The quantiles as a curve: the value below which the share p lies. Straight in the logarithm
// between the quantiles and flat above the last. Below the median as between it and the next one,
// but down to half of it at the share 0.1 at the least: durations have a floor and no ceiling.
class Curve {
 public:
  explicit Curve(const SummaryQuantiles& quantiles)
      : logs_{std::log(quantiles[0]), std::log(quantiles[1]), std::log(quantiles[2])} {}

  double At(double p) const {
    if (p < 0.5) return std::exp(logs_[0] - std::min(logs_[1] - logs_[0], kLn2) * (0.5 - p) / 0.4);
    if (p <= 0.9) return std::exp(logs_[0] + (logs_[1] - logs_[0]) * (p - 0.5) / 0.4);
    return std::exp(logs_[1] + (logs_[2] - logs_[1]) * std::min((p - 0.9) / 0.09, 1.0));
  }

 private:
  std::array<double, 3> logs_;
};

// Of a step: values on the curve, each standing for some observations.
struct Spread {
  size_t size = 0;
  std::array<double, kValuesMax> log_rank{};  // of the evenly spaced shares
  std::array<uint64_t, kValuesMax> times{};
  std::array<double, kValuesMax> value{};

  explicit Spread(uint64_t count) : size(std::min(count, kValuesMax)) {
    for (size_t i = 0; i < size; ++i) {
      log_rank[i] = std::log((static_cast<double>(i) + 0.5) / static_cast<double>(size));
      times[i] = count / size + static_cast<uint64_t>(i < count % size);
    }
  }
  // Puts the values at the shares' powers: below one more of them are slow than the window has,
  // above one fewer. Returns the sum.
  double Tilt(const Curve& curve, double power) {
    double sum = 0;
    for (size_t i = 0; i < size; ++i) {
      value[i] = curve.At(std::exp(log_rank[i] * power));
      sum += value[i] * static_cast<double>(times[i]);
    }
    return sum;
  }
};

Placement PlaceOne(const SummaryStep& step, NativeHistogram* histogram) {
  const double raw = step.sum / step.scale;
  const double raw_error = step.error / step.scale;
  if (raw > static_cast<double>(std::numeric_limits<float>::max())) {
    histogram->Observe(step.sum);
    return Placement::kEstimated;
  }
  const auto rounded = static_cast<float>(raw);
  const double unit =
      static_cast<double>(std::nextafter(rounded, 0.0F)) - static_cast<double>(rounded);
  if (raw_error >= std::abs(unit) / 2) {
    histogram->Observe(step.sum);
    return Placement::kEstimated;
  }
  // A page whose sums are not of float32 tells the value itself.
  const bool named = std::abs(static_cast<double>(rounded) - raw) <= raw_error;
  histogram->Observe(named ? static_cast<double>(rounded) * step.scale : step.sum);
  return Placement::kExact;
}

}  // namespace

double StepError(double sum, double count, uint32_t members) {
  constexpr double kHalfUnit = 0x1p-53;
  return (count + 4.0 * members) * kHalfUnit * std::abs(sum);
}

Placement PlaceStep(const SummaryStep& step, const SummaryQuantiles& quantiles,
                    NativeHistogram* histogram) {
  const auto unplaced = [&] {
    histogram->AddUnplaced(step.count, std::max(0.0, step.sum));
    return Placement::kUnplaced;
  };
  if (!(step.sum > 0) || !std::isfinite(step.sum) || step.error > step.sum * kErrorShareMax) {
    return unplaced();
  }
  if (step.count == 1) return PlaceOne(step, histogram);
  if (!Usable(quantiles)) return unplaced();

  // A step differs from its window mostly in how many of it are slow, so the shares are bent until
  // the sum fits; what bending cannot reach, or has not reached yet, is stretched.
  const Curve curve(quantiles);
  Spread spread(step.count);
  const double sum = step.sum / step.scale;
  double low = 1 / kPowerMax;
  double high = kPowerMax;
  double reached = 0;
  for (int i = 0; i < kBendings; ++i) {
    const double power = std::sqrt(low * high);
    reached = spread.Tilt(curve, power);
    (reached > sum ? low : high) = power;
  }
  const double stretch = sum / reached;
  if (!(stretch <= kMisfitMax && stretch >= 1 / kMisfitMax)) return unplaced();
  for (size_t i = 0; i < spread.size; ++i) {
    histogram->Observe(spread.value[i] * stretch * step.scale, spread.times[i]);
  }
  return Placement::kEstimated;
}

}  // namespace spire_exporter::telemetry
