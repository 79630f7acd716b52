// Any datagrams, each sent twice, so that both the slow and the fast path see them: every line is
// counted once, and what comes out is valid, described and bounded.
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

#include "collectors/telemetry/store.h"
#include "exporter/base/utf8.h"

namespace {

using spire_exporter::Family;
using spire_exporter::FamilyList;
using spire_exporter::FindInvalidUtf8;
using spire_exporter::LabelDescription;
using spire_exporter::ManualClock;
using spire_exporter::Series;
using spire_exporter::telemetry::ListenerCounts;
using spire_exporter::telemetry::Store;
using spire_exporter::telemetry::StoreOptions;

void Require(bool holds) {
  if (!holds) std::abort();
}

// Lines by definition: non-empty runs of bytes between line feeds.
uint64_t LinesOf(std::string_view datagram) {
  uint64_t lines = 0;
  bool inside = false;
  for (const char byte : datagram) {
    lines += byte != '\n' && !inside;
    inside = byte != '\n';
  }
  return lines;
}

void CheckFamilies(const FamilyList& families) {
  for (const Family& family : families) {
    std::set<std::string_view> seen;
    Require(family.series.size() <= family.description->series_max);
    for (const Series& series : family.series) {
      Require(seen.insert(series.labels->rendered()).second);
      Require(FindInvalidUtf8(series.labels->rendered()) == std::string_view::npos);
      Require(series.value == series.value);
      for (size_t i = 0; i < series.labels->size(); ++i) {
        bool described = false;
        for (const LabelDescription& label : family.description->labels) {
          described |= label.name == series.labels->name(i);
        }
        Require(described);
      }
      if (series.histogram != nullptr) {
        Require(series.histogram->sum >= 0 && series.histogram->sum < 1e40);
      }
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ManualClock clock;
  Store store(StoreOptions{}, clock);
  ListenerCounts counts;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  uint64_t lines = 0;
  uint64_t datagrams = 0;
  // A byte 0 ends a datagram, a byte 1 ends one that the kernel cut.
  while (!rest.empty()) {
    const size_t stop = rest.find_first_of(std::string_view("\0\1", 2));
    const std::string datagram(rest.substr(0, stop));
    const bool truncated = stop != std::string_view::npos && rest[stop] == 1;
    rest.remove_prefix(stop == std::string_view::npos ? rest.size() : stop + 1);
    for (int turn = 0; turn < 2; ++turn) {
      store.Feed(datagram, truncated, {clock.Steady(), clock.Steady()}, &counts);
      lines += LinesOf(datagram);
      ++datagrams;
      Require(counts.lines() == lines);
      Require(counts.datagrams == datagrams);
    }
    clock.Advance(std::chrono::milliseconds(700));
    counts.ledger.Tick(clock.Steady());
  }
  FamilyList families;
  store.AppendFamilies(clock.Steady(), &families);
  CheckFamilies(families);
  Require(store.State().bytes <= size_t{8} << 20);
  Require(counts.ledger.unprovable() <= lines + counts.client_sent_metrics);
  return 0;
}
