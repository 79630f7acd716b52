#include <prometheus/collectable.h>
#include <prometheus/text_serializer.h>

#include <string>

#include "exporter/expose/page.h"
#include "exporter/expose/prometheus_collectable.h"
#include "exporter/expose/writer.h"
#include "tests/bench/operations.h"
#include "tests/bench/pages.h"

namespace spire_exporter::bench {
namespace {

// A multiple of it is what instructions.py asks for: a page at a time, a figure for each series.
constexpr size_t kSeries = 1000;

template <std::shared_ptr<const Snapshot> (*kMake)(size_t), Format kFormat>
void WriteSeries(uint64_t n) {
  const Page page = Page::Merge({kMake(kSeries)});
  std::string out;
  Write(kFormat, page, {}, out);
  for (uint64_t done = 0; done + kSeries <= n; done += kSeries) {
    out.clear();
    Write(kFormat, page, {}, out);
    Keep(out.data());
  }
}

void MergeSeries(uint64_t n) {
  const auto snapshot = CounterSnapshot(kSeries);
  for (uint64_t done = 0; done + kSeries <= n; done += kSeries) {
    const Page page = Page::Merge({snapshot});
    Keep(&page);
  }
}

template <std::shared_ptr<const Snapshot> (*kMake)(size_t)>
void SerializeByPrometheusCpp(uint64_t n) {
  const auto snapshot = kMake(kSeries);
  const auto families = MakePrometheusCollectable([&] {
                          return std::vector<std::shared_ptr<const Snapshot>>{snapshot};
                        })->Collect();
  const prometheus::TextSerializer serializer;
  for (uint64_t done = 0; done + kSeries <= n; done += kSeries) {
    Keep(serializer.Serialize(families).data());
  }
}

}  // namespace

std::vector<Operation> ExposeOperations() {
  return {
      {"text_counter", "", 170, &WriteSeries<CounterSnapshot, Format::kText>},
      {"text_gauge", "", 720, &WriteSeries<GaugeSnapshot, Format::kText>},
      {"text_histogram12", "", 2700, &WriteSeries<HistogramSnapshot, Format::kText>},
      {"openmetrics_counter", "", 180, &WriteSeries<CounterSnapshot, Format::kOpenMetrics>},
      {"protobuf_counter", "", 400, &WriteSeries<CounterSnapshot, Format::kProtobuf>},
      {"protobuf_native_classic12", "", 7000, &WriteSeries<HistogramSnapshot, Format::kProtobuf>},
      {"page_merge_counter", "", 120, &MergeSeries},
      {"text_counter_prometheus_cpp", "", 0, &SerializeByPrometheusCpp<CounterSnapshot>},
      {"text_histogram12_prometheus_cpp", "", 0, &SerializeByPrometheusCpp<HistogramSnapshot>},
  };
}

}  // namespace spire_exporter::bench
