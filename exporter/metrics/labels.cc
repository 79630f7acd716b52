#include "exporter/metrics/labels.h"

#include <algorithm>

#include "exporter/base/utf8.h"

namespace spire_exporter {
namespace {

// Each byte that is not part of a well-formed character becomes one U+FFFD.
void AppendValidUtf8(std::string& out, std::string_view text) {
  for (size_t invalid = FindInvalidUtf8(text); invalid != std::string_view::npos;
       invalid = FindInvalidUtf8(text)) {
    out += text.substr(0, invalid);
    out += "\xef\xbf\xbd";
    text.remove_prefix(invalid + 1);
  }
  out += text;
}

void AppendEscaped(std::string& out, std::string_view value) {
  for (const char c : value) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '"') {
      out += "\\\"";
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
}

}  // namespace

std::shared_ptr<const LabelSet> LabelSet::Make(std::span<const Label> labels) {
  std::vector<Label> sorted(labels.begin(), labels.end());
  // Stable, so that of a repeated name the first stays first.
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Label& a, const Label& b) { return a.name < b.name; });
  sorted.erase(std::unique(sorted.begin(), sorted.end(),
                           [](const Label& a, const Label& b) { return a.name == b.name; }),
               sorted.end());

  std::shared_ptr<LabelSet> set(new LabelSet);
  for (const Label& label : sorted) {
    if (label.value.empty()) continue;
    Field field{};
    field.name_at = static_cast<uint32_t>(set->plain_.size());
    field.name_size = static_cast<uint32_t>(label.name.size());
    set->plain_ += label.name;
    field.value_at = static_cast<uint32_t>(set->plain_.size());
    AppendValidUtf8(set->plain_, label.value);
    field.value_size = static_cast<uint32_t>(set->plain_.size()) - field.value_at;
    set->fields_.push_back(field);

    if (!set->rendered_.empty()) set->rendered_ += ',';
    set->rendered_ += label.name;
    set->rendered_ += "=\"";
    AppendEscaped(set->rendered_, set->value(set->fields_.size() - 1));
    set->rendered_ += '"';
  }
  // Sets live as long as their series; what growing left over would be kept with them.
  set->rendered_.shrink_to_fit();
  set->plain_.shrink_to_fit();
  set->fields_.shrink_to_fit();
  return set;
}

std::shared_ptr<const LabelSet> LabelSet::Empty() {
  return Make({});
}

std::string_view LabelSet::name(size_t i) const {
  const Field& field = fields_.at(i);
  return std::string_view(plain_).substr(field.name_at, field.name_size);
}

std::string_view LabelSet::value(size_t i) const {
  const Field& field = fields_.at(i);
  return std::string_view(plain_).substr(field.value_at, field.value_size);
}

std::string_view LabelSet::Get(std::string_view label) const {
  for (size_t i = 0; i < fields_.size(); ++i) {
    if (name(i) == label) return value(i);
  }
  return {};
}

}  // namespace spire_exporter
