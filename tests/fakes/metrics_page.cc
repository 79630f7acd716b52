#include "tests/fakes/metrics_page.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/fakes/numbers.h"

namespace spire_exporter::fakes {
namespace {

constexpr size_t kValuesPerStep = 4096;

int64_t StepNumber(SteadyTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count() / 2;
}

std::string_view TypeName(MetricsPage::Type type) {
  switch (type) {
    case MetricsPage::Type::kCounter:
      return "counter";
    case MetricsPage::Type::kGauge:
      return "gauge";
    case MetricsPage::Type::kSummary:
      break;
  }
  return "summary";
}

std::string RenderLabels(Tags labels) {
  std::sort(labels.begin(), labels.end());
  std::string text;
  for (const auto& [name, value] : labels) {
    if (!text.empty()) text += ',';
    text += name + "=\"";
    for (const char c : value) {
      if (c == '\\' || c == '"') text += '\\';
      if (c == '\n') {
        text += "\\n";
      } else {
        text += c;
      }
    }
    text += '"';
  }
  return text;
}

void WriteLine(std::string_view name, std::string_view labels, double value, std::string* out) {
  out->append(name);
  if (!labels.empty()) {
    out->push_back('{');
    out->append(labels);
    out->push_back('}');
  }
  out->push_back(' ');
  AppendPageValue(value, out);
  out->push_back('\n');
}

}  // namespace

void MetricsPage::Series::Observe(double value, SteadyTime now) {
  value_ += value;
  ++count_;
  const int64_t number = StepNumber(now);
  Step& step = steps_[static_cast<size_t>(number) % steps_.size()];
  if (step.number != number) {
    step.number = number;
    step.seen = 0;
    step.values.clear();
  }
  ++step.seen;
  if (step.values.size() < kValuesPerStep) {
    step.values.push_back(static_cast<float>(value));
    return;
  }
  // Reservoir: every value of the step stays with the same probability.
  Random random(step.seen);
  const uint64_t place = random.Below(step.seen);
  if (place < kValuesPerStep) step.values[place] = static_cast<float>(value);
}

std::vector<float> MetricsPage::Series::Window(SteadyTime now) const {
  std::vector<float> values;
  const int64_t current = StepNumber(now);
  for (const Step& step : steps_) {
    if (step.number < 0 || step.number <= current - static_cast<int64_t>(steps_.size())) continue;
    values.insert(values.end(), step.values.begin(), step.values.end());
  }
  std::sort(values.begin(), values.end());
  return values;
}

MetricsPage::Series* MetricsPage::Find(const std::string& family, Type type, const Tags& labels) {
  Family& entry = families_.try_emplace(family, Family{type, {}, {}}).first->second;
  std::string rendered = RenderLabels(labels);
  std::unique_ptr<Series>& series = entry.series[rendered];
  if (!series) {
    series = std::make_unique<Series>();
    series->labels_ = std::move(rendered);
  }
  return series.get();
}

void MetricsPage::AddRendered(const std::string& family, std::string text) {
  families_[family] = Family{Type::kGauge, std::move(text), {}};
}

void MetricsPage::WriteSeries(const std::string& name, const Family& family, SteadyTime now,
                              std::string* out) {
  for (const auto& [labels, series] : family.series) {
    if (family.type != Type::kSummary) {
      WriteLine(name, labels, series->value_, out);
      continue;
    }
    const std::vector<float> window = series->Window(now);
    for (const std::string_view quantile : {"0.5", "0.9", "0.99"}) {
      double value = std::numeric_limits<double>::quiet_NaN();
      if (!window.empty()) {
        const double rank =
            std::ceil(std::stod(std::string(quantile)) * static_cast<double>(window.size()));
        value = static_cast<double>(window[static_cast<size_t>(std::max(rank, 1.0)) - 1]);
      }
      std::string with_quantile = labels;
      if (!labels.empty()) with_quantile += ',';
      with_quantile.append("quantile=\"").append(quantile).append("\"");
      WriteLine(name, with_quantile, value, out);
    }
    WriteLine(name + "_sum", labels, series->value_, out);
    WriteLine(name + "_count", labels, static_cast<double>(series->count_), out);
  }
}

void MetricsPage::Write(SteadyTime now, std::string* out) const {
  for (const auto& [name, family] : families_) {
    if (!family.rendered.empty()) {
      out->append(family.rendered);
      continue;
    }
    out->append("# HELP ").append(name).append(" ").append(name);
    out->append("\n# TYPE ").append(name).append(" ").append(TypeName(family.type));
    out->push_back('\n');
    WriteSeries(name, family, now, out);
  }
}

std::string PageName(std::string_view key) {
  std::string name(key);
  for (char& c : name) {
    if (c == ' ' || c == '.' || c == '=' || c == '-' || c == '/') c = '_';
  }
  return name;
}

}  // namespace spire_exporter::fakes
