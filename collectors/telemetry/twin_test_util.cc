#include "collectors/telemetry/twin_test_util.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace spire_exporter::telemetry {
namespace {

class Text {
 public:
  Text& Add(std::string_view text) {
    text_.append(text).push_back(' ');
    return *this;
  }
  Text& Add(double value) {
    std::array<char, 64> digits{};
    const auto [end, problem] =
        std::to_chars(digits.begin(), digits.end(), value, std::chars_format::hex);
    return Add(std::string_view(digits.data(), static_cast<size_t>(end - digits.data())));
  }
  Text& Add(uint64_t value) { return Add(std::to_string(value)); }
  void EndLine() { text_.push_back('\n'); }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

void AddHistogram(const HistogramValue& value, Text* text) {
  text->Add(value.count).Add(value.sum).Add(value.zero_count).Add(value.unplaced);
  text->Add(std::to_string(value.schema));
  for (const auto* runs : {&value.positive, &value.negative}) {
    for (const BucketRun& run : *runs) {
      text->Add(std::to_string(run.first));
      for (const uint64_t count : run.counts) text->Add(count);
    }
    text->Add("|");
  }
  for (const uint64_t count : value.cumulative) text->Add(count);
}

std::string Describe(SteadyTime now, Store& store, const ListenerCounts& counts) {
  Text text;
  text.Add(counts.datagrams).Add(counts.truncated_datagrams).Add(counts.client_sent_metrics);
  text.Add(counts.client_dropped_queue).Add(counts.client_dropped_writer);
  for (const uint64_t outcome : counts.outcomes) text.Add(outcome);
  text.EndLine();
  text.Add(counts.ledger.missing()).Add(counts.ledger.unprovable());
  text.Add(LedgerStateName(counts.ledger.state())).Add(counts.ledger.restarts()).EndLine();
  FamilyList families;
  store.AppendFamilies(now, &families);
  for (const Family& family : families) {
    for (const Series& series : family.series) {
      text.Add(family.description->name).Add(series.labels->rendered());
      text.Add(series.value).Add(series.created_seconds);
      if (series.histogram != nullptr) AddHistogram(*series.histogram, &text);
      text.EndLine();
    }
  }
  const StoreState state = store.State();
  text.Add(uint64_t{state.series}).Add(uint64_t{state.bytes}).Add(state.timer_events);
  text.Add(state.counter_events).EndLine();
  return text.Take();
}

}  // namespace

std::string SlowSpelling(std::string_view datagram) {
  std::string slow;
  while (!datagram.empty()) {
    const size_t stop = datagram.find('\n');
    const std::string_view line = datagram.substr(0, stop);
    slow.append(line);
    if (!line.empty() && line.back() != '\r') slow.push_back('\r');
    if (stop == std::string_view::npos) break;
    slow.push_back('\n');
    datagram.remove_prefix(stop + 1);
  }
  return slow;
}

void Twins::Feed(std::string_view datagram, bool truncated) {
  const Arrival arrival{clock_.Steady(), clock_.Steady()};
  fast_.Feed(datagram, truncated, arrival, &fast_counts_);
  slow_.Feed(SlowSpelling(datagram), truncated, arrival, &slow_counts_);
}

std::string Twins::Difference() {
  fast_counts_.ledger.Tick(clock_.Steady());
  slow_counts_.ledger.Tick(clock_.Steady());
  const std::string fast = Describe(clock_.Steady(), fast_, fast_counts_);
  const std::string slow = Describe(clock_.Steady(), slow_, slow_counts_);
  if (fast == slow) return "";
  const auto parted = std::mismatch(fast.begin(), fast.end(), slow.begin(), slow.end());
  const auto at = static_cast<size_t>(parted.first - fast.begin());
  const size_t from = at > 200 ? at - 200 : 0;
  return "fast: " + fast.substr(from, 400) + "\nslow: " + slow.substr(from, 400);
}

}  // namespace spire_exporter::telemetry
