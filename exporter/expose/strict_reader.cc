#include "exporter/expose/strict_reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <stdexcept>

#include "exporter/base/utf8.h"

namespace spire_exporter {
namespace {

using Labels = std::vector<std::pair<std::string, std::string>>;

struct Broken : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void Demand(bool good, const char* rule) {
  if (!good) throw Broken(rule);
}

const std::map<std::string, std::vector<std::string>, std::less<>>& SuffixesByType(Format format) {
  static const std::map<std::string, std::vector<std::string>, std::less<>> kText = {
      {"counter", {""}},
      {"gauge", {""}},
      {"untyped", {""}},
      {"histogram", {"_bucket", "_sum", "_count"}}};
  static const std::map<std::string, std::vector<std::string>, std::less<>> kOpenMetrics = {
      {"counter", {"_total", "_created"}},
      {"gauge", {""}},
      {"unknown", {""}},
      {"stateset", {""}},
      {"info", {"_info"}},
      {"histogram", {"_bucket", "_sum", "_count", "_created"}},
      {"gaugehistogram", {"_bucket", "_gsum", "_gcount"}}};
  return format == Format::kText ? kText : kOpenMetrics;
}

// Takes bytes off the front of one line.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  bool Done() const { return text_.empty(); }
  bool Take(std::string_view expected) {
    if (text_.substr(0, expected.size()) != expected) return false;
    text_.remove_prefix(expected.size());
    return true;
  }
  std::string_view TakeRest() { return std::exchange(text_, {}); }

  std::string TakeName(bool colons) {
    size_t size = 0;
    const auto is_letter = [&](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colons && c == ':');
    };
    while (size < text_.size() &&
           (is_letter(text_[size]) || (size > 0 && text_[size] >= '0' && text_[size] <= '9'))) {
      ++size;
    }
    Demand(size > 0, "a name was expected");
    const std::string name(text_.substr(0, size));
    text_.remove_prefix(size);
    return name;
  }

  // Up to the bare quote `end`, or the end of the line for 0; `escapes` are the characters that may
  // follow a backslash.
  std::string TakeEscaped(char end, std::string_view escapes) {
    std::string plain;
    for (;; text_.remove_prefix(1)) {
      Demand(!text_.empty() || end == 0, "a quote is missing");
      if (text_.empty()) return plain;
      if (end != 0 && text_.front() == end) {
        text_.remove_prefix(1);
        return plain;
      }
      Demand(text_.front() != '"' || escapes.find('"') == std::string_view::npos, "a bare quote");
      if (text_.front() == '\\') {
        text_.remove_prefix(1);
        Demand(!text_.empty() && escapes.find(text_.front()) != std::string_view::npos,
               "an escape that is none");
        plain += text_.front() == 'n' ? '\n' : text_.front();
      } else {
        plain += text_.front();
      }
    }
  }

 private:
  std::string_view text_;
};

double TakeValue(std::string_view text) {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "+Inf") return std::numeric_limits<double>::infinity();
  if (text == "-Inf") return -std::numeric_limits<double>::infinity();
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  Demand(error == std::errc() && end == text.data() + text.size() && std::isfinite(value),
         "a value was expected");
  return value;
}

ReadSample TakeSample(std::string_view line) {
  Cursor cursor(line);
  ReadSample sample;
  sample.name = cursor.TakeName(true);
  if (cursor.Take("{")) {
    do {
      std::string name = cursor.TakeName(false);
      Demand(name.substr(0, 2) != "__", "a reserved label");
      for (const auto& label : sample.labels) Demand(label.first != name, "a repeated label");
      Demand(cursor.Take("=\""), "a quoted value was expected");
      sample.labels.emplace_back(std::move(name), cursor.TakeEscaped('"', "\\\"n"));
    } while (cursor.Take(","));
    Demand(cursor.Take("}"), "a brace is missing");
  }
  Demand(cursor.Take(" "), "a blank was expected");
  sample.value = TakeValue(cursor.TakeRest());
  return sample;
}

class Reader {
 public:
  explicit Reader(Format format) : format_(format) {}

  void TakeLine(std::string_view line) {
    Demand(!ended_, "a line after the end");
    Demand(!line.empty(), "a blank line");
    Demand(FindInvalidUtf8(line) == std::string_view::npos, "invalid UTF-8");
    if (line == "# EOF" && format_ == Format::kOpenMetrics) {
      ended_ = true;
    } else if (line.substr(0, 2) == "# ") {
      TakeMetadata(Cursor(line.substr(2)));
    } else {
      PutSample(TakeSample(line));
    }
  }

  std::vector<ReadFamily> Finish() {
    Demand(ended_ == (format_ == Format::kOpenMetrics), "no end");
    CloseFamily();
    return std::move(families_);
  }

 private:
  // Text: HELP, TYPE. OpenMetrics: TYPE, UNIT, HELP. Only TYPE must be there.
  void TakeMetadata(Cursor cursor) {
    const bool open_metrics = format_ == Format::kOpenMetrics;
    const std::string keyword = cursor.TakeName(false);
    Demand(cursor.Take(" "), "a blank was expected");
    const std::string name = cursor.TakeName(true);
    Demand(cursor.Take(" "), "a blank was expected");
    if (keyword == (open_metrics ? "TYPE" : "HELP") || families_.empty() ||
        families_.back().name != name) {
      CloseFamily();
      Demand(family_names_.insert(name).second, "a family comes twice");
      families_.push_back({name, "", "", "", {}});
    }
    ReadFamily& family = families_.back();
    Demand(family.samples.empty(), "metadata after samples");
    if (keyword == "TYPE") {
      Demand(family.type.empty(), "a second TYPE");
      family.type = cursor.TakeRest();
      Demand(SuffixesByType(format_).count(family.type) == 1, "a type that is none");
    } else if (keyword == "HELP") {
      Demand(family.help.empty() && (open_metrics != family.type.empty()), "HELP out of place");
      family.help = cursor.TakeEscaped(0, open_metrics ? "\\\"n" : "\\n");
    } else {
      Demand(keyword == "UNIT" && open_metrics && family.help.empty(), "UNIT out of place");
      family.unit = cursor.TakeRest();
      Demand(name.size() > family.unit.size() &&
                 name.substr(name.size() - family.unit.size() - 1) == "_" + family.unit,
             "a unit that the name does not end in");
      Demand(family.type != "info" && family.type != "stateset", "a unit where none may be");
    }
  }

  void PutSample(ReadSample sample) {
    Demand(!families_.empty() && !families_.back().type.empty(), "a sample without TYPE");
    ReadFamily& family = families_.back();
    Demand(sample.name.substr(0, family.name.size()) == family.name, "a sample of another family");
    const auto& suffixes = SuffixesByType(format_).find(family.type)->second;
    const std::string suffix = sample.name.substr(family.name.size());
    Demand(std::find(suffixes.begin(), suffixes.end(), suffix) != suffixes.end(),
           "a sample name that the type has not");
    auto sorted = sample.labels;
    std::sort(sorted.begin(), sorted.end());
    Demand(series_.emplace(sample.name, sorted).second, "a series comes twice");
    Demand(suffix != "_total" || sample.value >= 0, "a counter that is negative or no number");
    Demand(family.type != "info" || sample.value == 1, "an info that is not 1");
    if (family.type == "stateset") {
      Demand(!sample.Get(family.name).empty(), "a state set without its label");
      Demand(sample.value == 0 || sample.value == 1, "a state that is neither 0 nor 1");
    }
    CheckGrouping(family, sample);
    family.samples.push_back(std::move(sample));
  }

  // Samples that differ only in what the type itself adds (`le`, the state) stand together.
  void CheckGrouping(const ReadFamily& family, const ReadSample& sample) {
    if (format_ != Format::kOpenMetrics || family.type == "info") return;
    auto group = sample.labels;
    group.erase(std::remove_if(group.begin(), group.end(),
                               [&](const auto& label) {
                                 return label.first == "le" ||
                                        (family.type == "stateset" && label.first == family.name);
                               }),
                group.end());
    if (!family.samples.empty() && group == group_) return;
    if (family.samples.empty()) groups_.clear();
    Demand(groups_.insert(group).second, "interleaved metrics");
    group_ = std::move(group);
  }

  void CloseFamily() {
    if (families_.empty()) return;
    const ReadFamily& family = families_.back();
    Demand(!family.samples.empty(), "a family without samples");
    for (const ReadSample& sample : family.samples) {
      const auto [owner, added] = sample_names_.try_emplace(sample.name, family.name);
      Demand(added || owner->second == family.name, "a sample name of two families");
    }
    if (family.type == "histogram" || family.type == "gaugehistogram") CheckHistograms(family);
  }

  void CheckHistograms(const ReadFamily& family) const {
    constexpr double kInf = std::numeric_limits<double>::infinity();
    double bound = kInf;  // of the bucket before; infinite between series
    double count = 0;
    bool negative = false;
    bool any = false;
    for (const ReadSample& sample : family.samples) {
      const std::string suffix = sample.name.substr(family.name.size());
      if (suffix == "_bucket") {
        const bool first = std::isinf(bound);
        const double before = bound;
        bound = TakeBound(sample);
        Demand(first || bound > before, "bounds out of order");
        Demand(sample.value >= (first ? 0 : count), "buckets out of order");
        if (first) negative = bound < 0;
        count = sample.value;
        any = true;
        continue;
      }
      Demand(any && std::isinf(bound), "a histogram without +Inf");
      if (suffix == "_count" || suffix == "_gcount") {
        Demand(sample.value == count, "a count that is not that of +Inf");
      } else if (format_ == Format::kOpenMetrics && suffix != "_created") {
        Demand(suffix == "_gsum" || !negative, "a sum beside a negative bound");
        Demand(sample.value >= 0 || (suffix == "_gsum" && negative), "a sum that may not be");
      }
    }
    Demand(any && std::isinf(bound), "a histogram without +Inf");
  }

  static double TakeBound(const ReadSample& sample) {
    Demand(!sample.labels.empty() && sample.labels.back().first == "le", "a bucket without `le`");
    const std::string& text = sample.labels.back().second;
    const double bound = TakeValue(text);
    Demand(std::isinf(bound) || text.find_first_of(".e") != std::string::npos,
           "a bound that is no float");
    return bound;
  }

  const Format format_;
  bool ended_ = false;
  std::vector<ReadFamily> families_;
  std::set<std::string> family_names_;
  std::map<std::string, std::string> sample_names_;
  std::set<std::pair<std::string, Labels>> series_;
  Labels group_;             // of the sample before
  std::set<Labels> groups_;  // of the family
};

}  // namespace

std::string_view ReadSample::Get(std::string_view label) const {
  for (const auto& pair : labels) {
    if (pair.first == label) return pair.second;
  }
  return {};
}

Result<std::vector<ReadFamily>> ReadStrictly(Format format, std::string_view page) {
  Reader reader(format);
  size_t number = 0;
  try {
    while (!page.empty()) {
      ++number;
      const size_t end = page.find('\n');
      Demand(end != std::string_view::npos, "the last line does not end");
      reader.TakeLine(page.substr(0, end));
      page.remove_prefix(end + 1);
    }
    return reader.Finish();
  } catch (const Broken& broken) {
    return Error{Code::kInvalidArgument, broken.what(), "line " + std::to_string(number), false};
  }
}

}  // namespace spire_exporter
