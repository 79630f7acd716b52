#include "collectors/telemetry/text_page.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <system_error>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "exporter/base/text.h"

namespace spire_exporter::telemetry {
namespace {

using Tags = std::vector<std::pair<std::string, std::string>>;

enum class PageType { kCounter, kGauge, kUntyped, kSummary, kHistogram };

bool IsNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
}
bool IsNameByte(char c) {
  return IsNameStart(c) || (c >= '0' && c <= '9');
}
bool IsBlank(char c) {
  return c == ' ' || c == '\t';
}

void SkipBlanks(std::string_view* text) {
  while (!text->empty() && IsBlank(text->front())) text->remove_prefix(1);
}

std::string_view TakeName(std::string_view* text) {
  if (text->empty() || !IsNameStart(text->front())) return {};
  size_t size = 1;
  while (size < text->size() && IsNameByte((*text)[size])) ++size;
  const std::string_view name = text->substr(0, size);
  text->remove_prefix(size);
  return name;
}

std::string_view TakeWord(std::string_view* text) {
  size_t size = 0;
  while (size < text->size() && !IsBlank((*text)[size])) ++size;
  const std::string_view word = text->substr(0, size);
  text->remove_prefix(size);
  return word;
}

// A number as Go writes it, and the three words for what is none.
std::optional<double> ParseValue(std::string_view text) {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "+Inf" || text == "Inf") return std::numeric_limits<double>::infinity();
  if (text == "-Inf") return -std::numeric_limits<double>::infinity();
  const bool sign = text.starts_with('+') || text.starts_with('-');
  const std::string_view digits = sign ? text.substr(1) : text;
  if (text.starts_with('+')) text = digits;
  if (digits.empty() || !((digits[0] >= '0' && digits[0] <= '9') || digits[0] == '.')) {
    return std::nullopt;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size()) return std::nullopt;
  // Too large or too small for a double: a number all the same, but none that could be shown.
  if (error == std::errc::result_out_of_range) return std::numeric_limits<double>::quiet_NaN();
  if (error != std::errc()) return std::nullopt;
  return value;
}

bool IsTimestamp(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

bool LeftOut(std::string_view family) {
  return family.starts_with("go_") || family.starts_with("process_") ||
         family.starts_with("promhttp_");
}

// Totals and counts never are negative, and a count must be exact in a double.
bool IsUsable(const ScrapedSeries& series) {
  if (!std::isfinite(series.value) || !std::isfinite(series.count)) return false;
  if (series.kind == WireKind::kCounter) return series.value >= 0;
  constexpr double kMaxExact = 9007199254740992.0;  // 2^53
  return series.count >= 0 && series.count <= kMaxExact && series.count == std::floor(series.count);
}

class PageReader {
 public:
  PageReader(std::string_view page, const TextPageLimits& limits) : rest_(page), limits_(limits) {}

  Result<std::vector<ScrapedSeries>> Read() {
    while (!rest_.empty()) {
      ++line_number_;
      const size_t end = rest_.find('\n');
      const std::string_view line = rest_.substr(0, end);
      rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
      if (line.size() > limits_.line_bytes) {
        return Fail("longer than " + std::to_string(limits_.line_bytes) + " bytes",
                    Code::kResourceExhausted);
      }
      if (Status status = ReadLine(line); !status.ok()) return std::move(status).error();
    }
    CloseFamily();
    return std::move(series_);
  }

 private:
  // What is known of the summary or sample with certain labels, within one family.
  struct Seen {
    size_t index = 0;  // into series_
    bool sum = false;
    bool count = false;
  };

  Error Fail(std::string what, Code code = Code::kDataLoss) const {
    return Error{code, "line " + std::to_string(line_number_) + ": " + std::move(what), "", true};
  }

  Status ReadLine(std::string_view line) {
    SkipBlanks(&line);
    if (line.empty()) return {};
    if (line.front() == '#') return ReadComment(line.substr(1));
    return ReadSample(line);
  }

  // `# TYPE name type`; `# HELP` and any other comment say nothing that is needed.
  Status ReadComment(std::string_view line) {
    SkipBlanks(&line);
    if (TakeWord(&line) != "TYPE") return {};
    SkipBlanks(&line);
    const std::string_view name = TakeName(&line);
    if (name.empty()) return Fail("TYPE without a metric name");
    SkipBlanks(&line);
    const std::string_view type = Trim(line);
    PageType page_type = PageType::kUntyped;
    if (type == "counter") {
      page_type = PageType::kCounter;
    } else if (type == "gauge") {
      page_type = PageType::kGauge;
    } else if (type == "summary") {
      page_type = PageType::kSummary;
    } else if (type == "histogram") {
      page_type = PageType::kHistogram;
    } else if (type != "untyped") {
      return Fail("unknown type " + Quoted(type));
    }
    return OpenFamily(name, page_type);
  }

  Status OpenFamily(std::string_view name, PageType type) {
    CloseFamily();
    family_ = name;
    type_ = type;
    left_out_ = LeftOut(name) || type == PageType::kHistogram;
    if (!families_.insert(name).second) return Fail("a second family " + Quoted(name));
    if (families_.size() > limits_.series) {
      return Fail("more than " + std::to_string(limits_.series) + " families",
                  Code::kResourceExhausted);
    }
    return {};
  }

  // Drops the summaries that lack a half, and everything that turned out to be no number.
  void CloseFamily() {
    size_t kept = family_first_;
    for (size_t i = family_first_; i < series_.size(); ++i) {
      if (!IsUsable(series_[i])) continue;
      if (kept != i) series_[kept] = std::move(series_[i]);
      ++kept;
    }
    series_.resize(kept);
    family_first_ = kept;
    seen_.clear();
  }

  Status ReadSample(std::string_view line) {
    const std::string_view name = TakeName(&line);
    if (name.empty()) return Fail("no metric name: " + Quoted(line.substr(0, 40)));
    const std::optional<std::string_view> suffix = SuffixOf(name);
    if (!suffix) {
      if (Status status = OpenFamily(name, PageType::kUntyped); !status.ok()) return status;
    }
    if (left_out_) return {};
    Tags tags;
    std::optional<std::string> quantile;
    if (Status status = ReadLabels(&line, &tags, &quantile); !status.ok()) return status;
    SkipBlanks(&line);
    const std::string_view number = TakeWord(&line);
    const std::optional<double> value = ParseValue(number);
    if (!value) return Fail("no number: " + Quoted(number));
    SkipBlanks(&line);
    const std::string_view timestamp = Trim(line);
    if (!timestamp.empty() && !IsTimestamp(timestamp)) {
      return Fail("no timestamp: " + Quoted(timestamp));
    }
    return Keep(suffix.value_or(std::string_view()), quantile, std::move(tags), *value);
  }

  // What follows the family's name in a sample of the open family: empty, or `_sum` and its kin.
  // Nothing when the sample belongs to no family that was announced.
  std::optional<std::string_view> SuffixOf(std::string_view name) const {
    if (!family_.empty() && name.starts_with(family_)) {
      const std::string_view suffix = name.substr(family_.size());
      if (suffix.empty()) return suffix;
      const bool half = suffix == "_sum" || suffix == "_count";
      if (type_ == PageType::kSummary && half) return suffix;
      if (type_ == PageType::kHistogram && (half || suffix == "_bucket")) return suffix;
    }
    return std::nullopt;
  }

  Status ReadLabels(std::string_view* line, Tags* tags, std::optional<std::string>* quantile) {
    SkipBlanks(line);
    if (line->empty() || line->front() != '{') return {};
    line->remove_prefix(1);
    for (;;) {
      SkipBlanks(line);
      if (!line->empty() && line->front() == '}') {
        line->remove_prefix(1);
        return {};
      }
      const std::string_view name = TakeName(line);
      if (name.empty()) return Fail("no label name");
      SkipBlanks(line);
      if (line->empty() || line->front() != '=') return Fail("no = after a label name");
      line->remove_prefix(1);
      SkipBlanks(line);
      std::string value;
      if (Status status = ReadLabelValue(line, &value); !status.ok()) return status;
      for (const auto& [other, unused] : *tags) {
        if (other == name) return Fail("label " + Quoted(name) + " twice");
      }
      if (type_ == PageType::kSummary && name == "quantile") {
        *quantile = std::move(value);
      } else if (tags->size() >= limits_.labels) {
        return Fail("more than " + std::to_string(limits_.labels) + " labels",
                    Code::kResourceExhausted);
      } else {
        tags->emplace_back(name, std::move(value));
      }
      SkipBlanks(line);
      if (line->empty()) return Fail("labels without an end");
      if (line->front() == ',') {
        line->remove_prefix(1);
      } else if (line->front() != '}') {
        return Fail("no , or } after a label");
      }
    }
  }

  Status ReadLabelValue(std::string_view* line, std::string* value) {
    if (line->empty() || line->front() != '"') return Fail("a label value without quotes");
    line->remove_prefix(1);
    while (!line->empty() && line->front() != '"') {
      char c = line->front();
      line->remove_prefix(1);
      if (c == '\\') {
        if (line->empty()) return Fail("a label value without an end");
        c = line->front();
        line->remove_prefix(1);
        if (c == 'n') {
          c = '\n';
        } else if (c != '\\' && c != '"') {
          return Fail("an unknown escape in a label value");
        }
      }
      *value += c;
    }
    if (line->empty()) return Fail("a label value without an end");
    line->remove_prefix(1);
    return {};
  }

  Status Keep(std::string_view suffix, const std::optional<std::string>& quantile, Tags tags,
              double value) {
    std::optional<size_t> place;
    if (type_ == PageType::kSummary && suffix.empty()) {
      if (!quantile) return Fail("a summary's sample without quantile");
      place = PlaceOf(*quantile);
      // Most series rest, and then there is nothing to find a place for.
      if (!place || std::isnan(value)) return {};
    }
    // Lengths before the bytes, so that no two sets of labels look alike.
    std::string identity;
    for (const auto& [name, text] : tags) {
      identity +=
          std::to_string(name.size()) + ' ' + name + std::to_string(text.size()) + ' ' + text;
    }
    auto [found, fresh] = seen_.try_emplace(std::move(identity));
    Seen& seen = found->second;
    if (fresh) {
      if (series_.size() >= limits_.series) {
        return Fail("more than " + std::to_string(limits_.series) + " series",
                    Code::kResourceExhausted);
      }
      seen.index = series_.size();
      series_.push_back({std::string(family_), KindOf(), std::move(tags), 0, 0, kNoQuantiles});
    }
    ScrapedSeries& series = series_[seen.index];
    if (type_ != PageType::kSummary) {
      if (!fresh) return Fail("a repeated series of " + Quoted(family_));
      series.value = value;
      return {};
    }
    // The half that has not come yet is no number, so that a summary without it is dropped.
    if (fresh) series.value = series.count = std::numeric_limits<double>::quiet_NaN();
    if (place) {
      series.quantiles[*place] = value;
      return {};
    }
    bool& already = suffix == "_sum" ? seen.sum : seen.count;
    if (already) return Fail("a repeated series of " + Quoted(family_));
    already = true;
    (suffix == "_sum" ? series.value : series.count) = value;
    return {};
  }

  // The place in SummaryQuantiles; nothing for quantiles that are of no use.
  static std::optional<size_t> PlaceOf(std::string_view quantile) {
    if (quantile == "0.5") return 0;
    if (quantile == "0.9") return 1;
    if (quantile == "0.99") return 2;
    return std::nullopt;
  }

  WireKind KindOf() const {
    if (type_ == PageType::kCounter) return WireKind::kCounter;
    return type_ == PageType::kSummary ? WireKind::kTimer : WireKind::kGauge;
  }

  std::string_view rest_;
  const TextPageLimits& limits_;
  size_t line_number_ = 0;
  std::string_view family_;  // the open one
  PageType type_ = PageType::kUntyped;
  bool left_out_ = false;
  size_t family_first_ = 0;  // of series_
  std::unordered_set<std::string_view> families_;
  std::unordered_map<std::string, Seen> seen_;
  std::vector<ScrapedSeries> series_;
};

}  // namespace

Result<std::vector<ScrapedSeries>> ParseTextPage(std::string_view page,
                                                 const TextPageLimits& limits) {
  return PageReader(page, limits).Read();
}

}  // namespace spire_exporter::telemetry
