// Bodies of a page beside the serialisers that a C++ program would use otherwise.
#include <google/protobuf/arena.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/delimited_message_util.h>
#include <prometheus/collectable.h>
#include <prometheus/text_serializer.h>

#include <string>

#include "exporter/expose/metrics.pb.h"
#include "exporter/expose/page.h"
#include "exporter/expose/prometheus_collectable.h"
#include "exporter/expose/reference_protobuf.h"
#include "exporter/expose/writer.h"
#include "tests/bench/operations.h"
#include "tests/bench/pages.h"
#include "tests/bench/rounds.h"

namespace spire_exporter::bench {
namespace {

Contestant Ours(const std::string& name, Format format, const Page& page) {
  return {name,
          [format, &page, out = std::string()]() mutable {
            out.clear();
            Write(format, page, {}, out);
            Keep(out.data());
          },
          static_cast<double>(page.series_count())};
}

void CompareText(const std::string& title, const std::shared_ptr<const Snapshot>& snapshot) {
  const Page page = Page::Merge({snapshot});
  const auto collectable = MakePrometheusCollectable(
      [&] { return std::vector<std::shared_ptr<const Snapshot>>{snapshot}; });
  const auto families = collectable->Collect();
  const prometheus::TextSerializer serializer;
  const auto series = static_cast<double>(page.series_count());
  CompareInRounds(title,
                  {{"prometheus-cpp TextSerializer",
                    [&] { Keep(serializer.Serialize(families).data()); }, series},
                   Ours("text 0.0.4", Format::kText, page),
                   Ours("OpenMetrics", Format::kOpenMetrics, page),
                   {"merging the page",
                    [&] {
                      const Page merged = Page::Merge({snapshot});
                      Keep(&merged);
                    },
                    series}},
                  0);
}

// As a program would fill it that has the same values, straight from the runs of buckets.
void FillPlainly(const PageFamily& family, io::prometheus::client::MetricFamily* message) {
  const FamilyDescription& description = *family.description;
  message->set_name(std::string(description.name));
  message->set_help(std::string(description.help));
  message->set_type(io::prometheus::client::HISTOGRAM);
  message->set_unit(std::string(description.unit));
  for (const Series* const series : family.series) {
    auto* const metric = message->add_metric();
    for (size_t i = 0; i < series->labels->size(); ++i) {
      auto* const label = metric->add_label();
      label->set_name(series->labels->name(i).data(), series->labels->name(i).size());
      label->set_value(series->labels->value(i).data(), series->labels->value(i).size());
    }
    const HistogramValue& value = *series->histogram;
    auto* const histogram = metric->mutable_histogram();
    histogram->set_sample_count(value.count);
    histogram->set_sample_sum(value.sum);
    for (size_t i = 0; i < value.cumulative.size(); ++i) {
      auto* const bucket = histogram->add_bucket();
      bucket->set_cumulative_count(value.cumulative[i]);
      bucket->set_upper_bound((*value.bounds)[i]);
    }
    histogram->set_schema(value.schema);
    histogram->set_zero_threshold(value.zero_threshold);
    histogram->set_zero_count(value.zero_count);
    int32_t expected = 0;
    uint64_t before = 0;
    for (const BucketRun& run : value.positive) {
      auto* const span = histogram->add_positive_span();
      span->set_offset(run.first - expected);
      span->set_length(static_cast<uint32_t>(run.counts.size()));
      expected = run.first + static_cast<int32_t>(run.counts.size());
      for (const uint64_t count : run.counts) {
        histogram->add_positive_delta(static_cast<int64_t>(count - before));
        before = count;
      }
    }
    histogram->mutable_created_timestamp()->set_seconds(1'800'000'000);
    histogram->mutable_created_timestamp()->set_nanos(500'000'000);
  }
}

void CompareProtobuf(const std::shared_ptr<const Snapshot>& snapshot) {
  const Page page = Page::Merge({snapshot});
  const auto by_library = [&page] {
    std::string body;
    google::protobuf::io::StringOutputStream out(&body);
    google::protobuf::Arena arena;
    for (const PageFamily& family : page.families()) {
      auto* const message =
          google::protobuf::Arena::CreateMessage<io::prometheus::client::MetricFamily>(&arena);
      FillPlainly(family, message);
      google::protobuf::util::SerializeDelimitedToZeroCopyStream(*message, &out);
    }
    Keep(body.data());
  };
  google::protobuf::Arena filled_arena;
  std::vector<const io::prometheus::client::MetricFamily*> filled;
  for (const PageFamily& family : page.families()) {
    auto* const message =
        google::protobuf::Arena::CreateMessage<io::prometheus::client::MetricFamily>(&filled_arena);
    FillPlainly(family, message);
    filled.push_back(message);
  }
  const auto write_alone = [&filled] {
    std::string body;
    google::protobuf::io::StringOutputStream out(&body);
    for (const auto* const one : filled) {
      google::protobuf::util::SerializeDelimitedToZeroCopyStream(*one, &out);
    }
    Keep(body.data());
  };
  const auto series = static_cast<double>(page.series_count());
  CompareInRounds("protobuf of 1,000 native histograms with 12 classic buckets",
                  {{"libprotobuf, built in an arena and serialised", by_library, series},
                   {"libprotobuf, serialising alone", write_alone, series},
                   Ours("ours", Format::kProtobuf, page)},
                  0);
}

}  // namespace
}  // namespace spire_exporter::bench

int main() {
  using namespace spire_exporter::bench;
  CompareText("10,000 counters with three labels", CounterSnapshot(10'000));
  CompareText("10,000 gauges of sixteen digits", GaugeSnapshot(10'000));
  CompareText("1,000 histograms with 12 bounds", HistogramSnapshot(1'000));
  CompareProtobuf(HistogramSnapshot(1'000));
  return 0;
}
