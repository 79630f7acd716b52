// What becomes of every key in the captures of three versions of SPIRE, held against
// golden/mapping.txt. UPDATE_GOLDEN=1 in the environment rewrites that file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "collectors/telemetry/mapping.h"
#include "collectors/telemetry/text_page.h"
#include "exporter/base/text.h"

namespace spire_exporter::telemetry {
namespace {

constexpr std::string_view kVersions[] = {"1.7.2", "1.8.0", "1.15.3"};
const char kGolden[] = HOUSE_SOURCE_DIR "/collectors/telemetry/golden/mapping.txt";

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

struct Emitted {
  std::string key;
  WireKind kind = WireKind::kCounter;
  std::vector<std::pair<std::string, std::string>> tags;
};

Mapped MapOf(const Emitted& emitted) {
  std::vector<Label> tags;
  for (const auto& [name, value] : emitted.tags) tags.push_back({name, value});
  return MapSeries(emitted.key, emitted.kind, tags, "");
}

// The framing of a capture: time as double, length as uint32, datagram; all little-endian.
std::vector<std::string> Datagrams(const std::filesystem::path& path) {
  const std::string bytes = ReadFile(path);
  std::vector<std::string> datagrams;
  for (size_t at = 0; at + 12 <= bytes.size();) {
    uint32_t size = 0;
    std::memcpy(&size, bytes.data() + at + 8, sizeof size);
    datagrams.push_back(bytes.substr(at + 12, size));
    at += 12 + size;
  }
  EXPECT_FALSE(datagrams.empty()) << path;
  return datagrams;
}

// Lines as SPIRE's clients write them and no more.
std::vector<Emitted> StreamSeries(const std::filesystem::path& path) {
  std::set<std::string> seen;
  std::vector<Emitted> all;
  for (const std::string& datagram : Datagrams(path)) {
    for (const std::string_view line : Split(datagram, '\n')) {
      if (line.empty()) continue;
      const auto sections = Split(line, '|');
      EXPECT_GE(sections.size(), 2u) << line;
      const size_t colon = sections[0].find(':');
      Emitted emitted;
      emitted.key = sections[0].substr(0, colon);
      emitted.kind = sections[1] == "c"   ? WireKind::kCounter
                     : sections[1] == "g" ? WireKind::kGauge
                                          : WireKind::kTimer;
      std::string identity = emitted.key + std::string(sections[1]);
      if (sections.size() > 2) {
        identity += sections[2];
        for (const std::string_view tag : Split(sections[2].substr(1), ',')) {
          const size_t cut = tag.find(':');
          emitted.tags.emplace_back(tag.substr(0, cut),
                                    cut == std::string_view::npos ? "" : tag.substr(cut + 1));
        }
      }
      if (seen.insert(identity).second) all.push_back(std::move(emitted));
    }
  }
  return all;
}

std::vector<Emitted> PageSeries(const std::filesystem::path& path) {
  auto page = ParseTextPage(ReadFile(path));
  EXPECT_TRUE(page.ok()) << path << page.error().ToString();
  std::vector<Emitted> all;
  if (!page.ok()) return all;
  for (ScrapedSeries& series : *page) {
    all.push_back({std::move(series.key), series.kind, std::move(series.tags)});
  }
  return all;
}

std::vector<std::filesystem::path> Captures(std::string_view version, std::string_view ending) {
  std::vector<std::filesystem::path> found;
  const std::filesystem::path folder =
      std::filesystem::path(HOUSE_TESTDATA) / "captures" / std::string(version);
  for (const auto& each : std::filesystem::directory_iterator(folder)) {
    if (each.path().filename().string().ends_with(ending)) found.push_back(each.path());
  }
  EXPECT_FALSE(found.empty()) << folder << ending;
  std::sort(found.begin(), found.end());
  return found;
}

std::string_view KindName(WireKind kind) {
  if (kind == WireKind::kCounter) return "counter";
  return kind == WireKind::kGauge ? "gauge" : "timer";
}

std::string_view EffectName(Effect effect) {
  switch (effect) {
    case Effect::kObserve:
      return "observe";
    case Effect::kCrossCheck:
      return "cross-check";
    case Effect::kAdd:
      return "add";
    case Effect::kSet:
      return "set";
    case Effect::kSum:
      return "sum";
    case Effect::kHeartbeat:
      return "heartbeat";
    case Effect::kSelf:
      return "self";
    case Effect::kIgnore:
      return "ignore";
  }
  return "";
}

// `key kind {tag names} -> family type unit {labels} effect`. Labels that come from a tag stand
// without value.
std::string Describe(const Emitted& emitted, const Mapped& mapped) {
  std::set<std::string> names;
  for (const auto& [name, value] : emitted.tags) names.insert(name);
  std::ostringstream out;
  out << emitted.key << ' ' << KindName(emitted.kind) << " {";
  const char* comma = "";
  for (const std::string& name : names) out << std::exchange(comma, ",") << name;
  out << "} -> ";
  if (mapped.family != nullptr) {
    const std::set<std::string_view> of_tags = {"status", "attestor", "mode", "version"};
    out << mapped.family->name << ' ' << MetricTypeName(mapped.family->type) << ' '
        << (mapped.family->unit.empty() ? "-" : mapped.family->unit) << " {";
    comma = "";
    for (const auto& [name, value] : mapped.labels) {
      out << std::exchange(comma, ",") << name;
      if (!of_tags.contains(name)) out << '=' << value;
    }
    out << "} ";
  }
  out << EffectName(mapped.effect);
  return out.str();
}

// Every captured series, with where it was seen.
std::map<std::string, std::set<std::string>> DescribeAll() {
  std::map<std::string, std::set<std::string>> lines;
  for (const std::string_view version : kVersions) {
    const auto add = [&](const std::vector<Emitted>& all, const char* source) {
      for (const Emitted& each : all) {
        const Mapped mapped = MapOf(each);
        EXPECT_TRUE(mapped.known) << version << ' ' << each.key;
        lines[Describe(each, mapped)].insert(std::string(version) + source);
      }
    };
    for (const auto& path : Captures(version, ".cap")) add(StreamSeries(path), " stream");
    for (const auto& path : Captures(version, ".metrics.txt")) add(PageSeries(path), " scrape");
  }
  return lines;
}

TEST(MappingGoldenTest, EveryCapturedKeyHasItsPlace) {
  std::string actual;
  for (const auto& [line, seen] : DescribeAll()) {
    actual += line + "  # ";
    const char* comma = "";
    for (const std::string_view version : kVersions) {
      std::string sources;
      for (const char* source : {" stream", " scrape"}) {
        if (seen.contains(std::string(version) + source)) sources += source;
      }
      if (!sources.empty()) actual += std::exchange(comma, ", ") + std::string(version) + sources;
    }
    actual += '\n';
  }
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    std::ofstream(kGolden, std::ios::binary) << actual;
  }
  const std::string expected = ReadFile(kGolden);
  EXPECT_TRUE(actual == expected) << "golden/mapping.txt differs; UPDATE_GOLDEN=1 rewrites it";
}

// The same event by either road: one family, one set of labels.
TEST(MappingGoldenTest, StreamAndScrapeMeet) {
  size_t met = 0;
  for (const std::string_view version : kVersions) {
    std::map<std::string, std::string> by_stream;
    const auto place = [](const Emitted& each, const Mapped& mapped) {
      std::string text = Describe(each, mapped);
      for (const auto& [name, value] : mapped.labels) text += ' ' + name + '=' + value;
      return text.substr(text.find("->"));
    };
    const auto identity = [](const Emitted& each) {
      std::string key = each.key + std::string(KindName(each.kind));
      std::replace(key.begin(), key.end(), '.', '_');
      std::map<std::string, std::string> tags(each.tags.begin(), each.tags.end());
      for (const auto& [name, value] : tags) key += '|' + name + '=' + value;
      return key;
    };
    for (const auto& path : Captures(version, ".cap")) {
      for (const Emitted& each : StreamSeries(path)) {
        by_stream[identity(each)] = place(each, MapOf(each));
      }
    }
    for (const auto& path : Captures(version, ".metrics.txt")) {
      for (const Emitted& each : PageSeries(path)) {
        const auto found = by_stream.find(identity(each));
        if (found == by_stream.end()) continue;
        ++met;
        EXPECT_EQ(place(each, MapOf(each)), found->second) << each.key;
      }
    }
  }
  EXPECT_GT(met, 300u);
}

// Lines of the exposed page: each classic bucket, `+Inf`, `_sum` and `_count` is a series of its
// own to Prometheus.
size_t ExposedSeries(const std::vector<Emitted>& all) {
  std::set<std::string> ours;
  size_t count = 0;
  for (const Emitted& each : all) {
    const Mapped mapped = MapOf(each);
    if (mapped.family == nullptr) continue;
    std::string identity(mapped.family->name);
    for (const auto& [name, value] : mapped.labels) identity += '|' + name + '=' + value;
    if (!ours.insert(identity).second) continue;
    count += mapped.family->type == MetricType::kHistogram
                 ? ClassicBounds(*mapped.family).size() + 3
                 : 1;
  }
  return count;
}

TEST(MappingGoldenTest, PagesStaySmall) {
  for (const std::string_view version : kVersions) {
    for (const auto& path : Captures(version, ".cap")) {
      const size_t exposed = ExposedSeries(StreamSeries(path));
      const std::string name = path.filename().string();
      std::printf("[ series   ] %s %s: %zu\n", std::string(version).c_str(), name.c_str(), exposed);
      // The telemetry collector's part of what a sidecar may expose in all: 400 for an agent, 1,500
      // for a server.
      EXPECT_LE(exposed, name.starts_with("agent") ? 260u : 750u) << name;
    }
  }
}

}  // namespace
}  // namespace spire_exporter::telemetry
