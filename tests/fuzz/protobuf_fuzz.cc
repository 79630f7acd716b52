// The protobuf writer against libprotobuf: whatever histograms and labels a page holds, the bytes
// are the library's own, and native buckets add up to the count.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "exporter/expose/metrics.pb.h"
#include "exporter/expose/reference_protobuf.h"
#include "exporter/expose/writer.h"
#include "exporter/metrics/histogram.h"

namespace {

using namespace spire_exporter;

void Demand(bool good) {
  if (!good) std::abort();
}

// Takes values off the front of the input; zeros when it has ended.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : at_(data), left_(size) {}
  bool empty() const { return left_ == 0; }
  template <typename T>
  T Take() {
    T value{};
    const size_t size = std::min(sizeof(T), left_);
    std::memcpy(&value, at_, size);
    at_ += size;
    left_ -= size;
    return value;
  }
  std::string Text() {
    const size_t size = std::min<size_t>(Take<uint8_t>(), left_);
    const std::string text(reinterpret_cast<const char*>(at_), size);
    at_ += size;
    left_ -= size;
    return text;
  }

 private:
  const uint8_t* at_;
  size_t left_;
};

constexpr std::array kLabels = {LabelDescription{"a", "any"}, LabelDescription{"b", "any"}};

FamilyDescription Of(MetricType type, std::string_view name) {
  FamilyDescription description;
  description.name = name;
  description.type = type;
  description.labels = kLabels;
  description.help = "Any.";
  return description;
}

std::shared_ptr<const HistogramValue> TakeHistogram(Input& input) {
  std::vector<double> bounds;
  for (int left = input.Take<uint8_t>() % 8; left > 0; --left)
    bounds.push_back(input.Take<float>());
  auto layout = HistogramLayout::Make(input.Take<uint8_t>() % 13 - 4, bounds);
  if (!layout.ok()) layout = HistogramLayout::Make(3, {});
  NativeHistogram histogram(layout.value());
  for (int left = input.Take<uint8_t>(); left > 0 && !input.empty(); --left) {
    histogram.Observe(input.Take<double>());
  }
  const uint32_t unplaced = input.Take<uint16_t>();
  if (unplaced != 0) histogram.AddUnplaced(unplaced, 1);
  return histogram.Snapshot();
}

void CheckSums(const io::prometheus::client::Histogram& histogram) {
  if (!histogram.has_schema()) return;
  uint64_t sum = histogram.zero_count();
  uint64_t count = 0;
  for (const int64_t delta : histogram.positive_delta()) {
    sum += count += static_cast<uint64_t>(delta);
  }
  count = 0;
  for (const int64_t delta : histogram.negative_delta()) {
    sum += count += static_cast<uint64_t>(delta);
  }
  Demand(sum == histogram.sample_count());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input(data, size);
  const FamilyDescription counter = Of(MetricType::kCounter, "a_total");
  const FamilyDescription histogram = Of(MetricType::kHistogram, "b");
  const FamilyDescription gauges = Of(MetricType::kGaugeHistogram, "c");
  FamilyBuilder builder;
  while (!input.empty()) {
    const std::string a = input.Text();
    const std::string b = input.Text();
    const double created = static_cast<double>(input.Take<uint32_t>()) / 16;
    builder.Add(counter, {a, b}, input.Take<double>(), created);
    builder.Add(histogram, {a, b}, TakeHistogram(input), created);
    builder.Add(gauges, {b, a}, TakeHistogram(input), created);
  }
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->families = builder.Take();
  const Page page = Page::Merge({snapshot});
  std::string body;
  Write(Format::kProtobuf, page, {}, body);
  Demand(body == WriteByLibprotobuf(page));
  const auto families = ReadByLibprotobuf(body);
  Demand(families.size() == page.families().size());
  for (const auto& family : families) {
    for (const auto& metric : family.metric()) CheckSums(metric.histogram());
  }
  return 0;
}
