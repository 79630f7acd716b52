#include "exporter/app/reference.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "exporter/base/text.h"

namespace spire_exporter {
namespace {

void SortByName(std::vector<ReferenceSection>& sections) {
  for (ReferenceSection& section : sections) {
    std::sort(
        section.families.begin(), section.families.end(),
        [](const FamilyDescription* a, const FamilyDescription* b) { return a->name < b->name; });
  }
}

std::string_view WhenStaleText(WhenStale when) {
  return when == WhenStale::kKept ? "kept, with its age" : "withdrawn";
}

std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|' || c == '<' || c == '*') out += '\\';
    out += c;
  }
  return out;
}

void AppendFamily(const FamilyDescription& family, std::string& out) {
  out += "### `" + std::string(family.name) + "`\n\n" + Escaped(family.help) + "\n\n";
  out += "| | |\n|---|---|\n";
  out += "| Type | " + std::string(MetricTypeName(family.type)) + " |\n";
  out += "| Unit | " + (family.unit.empty() ? "none" : std::string(family.unit)) + " |\n";
  for (const LabelDescription& label : family.labels) {
    out += "| Label `" + std::string(label.name) + "` | " + Escaped(label.meaning);
    for (size_t i = 0; i < label.values.size(); ++i) {
      out += (i == 0 ? ": `" : ", `") + std::string(label.values[i]) + "`";
    }
    out += " |\n";
  }
  out += "| Source | " + Escaped(family.source) + " |\n";
  out += "| Series | at most " + std::to_string(family.series_max) + " |\n";
  out += "| Age | up to " + FormatDuration(family.age_max) + ", then " +
         std::string(WhenStaleText(family.when_stale)) + " |\n";
  out += "| Profile | " + std::string(DetailName(family.detail)) + " |\n";
  out += "| Stability | " + std::string(StabilityName(family.stability)) + " |\n\n";
}

bool EndsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

void LintFamily(const FamilyDescription& family, std::vector<std::string>& findings) {
  const auto complain = [&](std::string_view what) {
    findings.push_back(std::string(family.name) + ": " + std::string(what));
  };
  std::string_view base = family.name;
  const bool total = EndsWith(base, "_total");
  if (total) base.remove_suffix(6);
  if (total != (family.type == MetricType::kCounter))
    complain("`_total` belongs to counters and to all of them");
  if (EndsWith(family.name, "_info") != (family.type == MetricType::kInfo)) {
    complain("`_info` belongs to infos and to all of them");
  }
  if (!family.unit.empty() && !EndsWith(base, "_" + std::string(family.unit)))
    complain("the name lacks its unit");
  if (family.help.empty() || family.help.back() != '.') complain("the help is not a sentence");
  if (family.source.empty()) complain("no source");
  if (family.series_max == 0) complain("no bound on its series");
  for (const LabelDescription& label : family.labels) {
    if (label.meaning.empty()) complain("a label without a meaning");
    if (label.name == "le" || label.name == "quantile" || label.name == "__name__")
      complain("a reserved label");
  }
  const bool ours = family.name.rfind("spire_", 0) == 0 || family.name.rfind("process_", 0) == 0;
  if (!ours || family.name.rfind("spire_server_", 0) == 0 ||
      family.name.rfind("spire_agent_", 0) == 0) {
    complain("the name is in nobody's or in SPIRE's own space");
  }
}

std::vector<std::string_view> Sorted(std::span<const std::string_view> values) {
  std::vector<std::string_view> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

// Whether two collectors may fill one family: it is the same to whoever reads the page, wherever
// its values come from.
bool SameForReaders(const FamilyDescription& a, const FamilyDescription& b) {
  return a.name == b.name && a.type == b.type && a.unit == b.unit && a.help == b.help &&
         std::equal(a.labels.begin(), a.labels.end(), b.labels.begin(), b.labels.end(),
                    [](const LabelDescription& one, const LabelDescription& other) {
                      return one.name == other.name && Sorted(one.values) == Sorted(other.values);
                    });
}

}  // namespace

std::string ReferenceMarkdown(std::vector<ReferenceSection> sections) {
  SortByName(sections);
  std::string out =
      "# Metrics\n\n"
      "Every family that `spire-exporter` can put on its page. Made by `spire-exporter metrics` "
      "from the descriptions "
      "in the code; `./dev docs` writes this file.\n\n"
      "A value that is not known is absent, never zero; *Age* says how old a value may get and "
      "what becomes of it "
      "then. *Series* bounds one process; a histogram counts as one there and has a `_bucket` line "
      "for each bound on "
      "the page.\n";
  for (const ReferenceSection& section : sections) {
    if (section.families.empty()) continue;
    out += "\n## " + std::string(section.title) + "\n\n" + std::string(section.summary) + "\n\n";
    for (const FamilyDescription* family : section.families) AppendFamily(*family, out);
    out.pop_back();  // one blank line between sections, none at the end
  }
  return out;
}

std::string ReferenceJson(std::vector<ReferenceSection> sections) {
  SortByName(sections);
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const ReferenceSection& section : sections) {
    for (const FamilyDescription* family : section.families) {
      nlohmann::ordered_json labels = nlohmann::ordered_json::array();
      for (const LabelDescription& label : family->labels) {
        nlohmann::ordered_json values = nlohmann::ordered_json::array();
        for (const std::string_view value : label.values) values.push_back(std::string(value));
        labels.push_back({{"name", std::string(label.name)},
                          {"meaning", std::string(label.meaning)},
                          {"values", std::move(values)}});
      }
      list.push_back({{"name", std::string(family->name)},
                      {"section", std::string(section.title)},
                      {"type", std::string(MetricTypeName(family->type))},
                      {"unit", std::string(family->unit)},
                      {"help", std::string(family->help)},
                      {"labels", std::move(labels)},
                      {"source", std::string(family->source)},
                      {"series_max", family->series_max},
                      {"age_max_seconds", Seconds(family->age_max)},
                      {"when_stale", family->when_stale == WhenStale::kKept ? "kept" : "withdrawn"},
                      {"profile", std::string(DetailName(family->detail))},
                      {"stability", std::string(StabilityName(family->stability))}});
    }
  }
  return list.dump(2) + "\n";
}

std::vector<std::string> LintDescriptions(const std::vector<ReferenceSection>& sections) {
  std::vector<std::string> findings;
  std::map<std::string_view, const FamilyDescription*> seen;
  for (const ReferenceSection& section : sections) {
    for (const FamilyDescription* family : section.families) {
      LintFamily(*family, findings);
      const auto [at, is_new] = seen.emplace(family->name, family);
      if (!is_new && !SameForReaders(*at->second, *family))
        findings.push_back(std::string(family->name) + ": described twice");
    }
  }
  return findings;
}

}  // namespace spire_exporter
