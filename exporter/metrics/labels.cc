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

size_t VarintSize(size_t value) {
  size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

void AppendVarint(std::string& out, size_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7f) | 0x80);
  out += static_cast<char>(value);
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
  // Exact where nothing is escaped and no length takes two bytes: then nothing is left over below.
  size_t text = 2 + kSlack;
  size_t encoded = kSlack;
  for (const Label& label : sorted) {
    text += label.name.size() + label.value.size() + 4;
    encoded += label.name.size() + label.value.size() + 6;
  }
  set->text_.reserve(text);
  set->encoded_.reserve(encoded);
  set->fields_.reserve(sorted.size());
  std::string mended;
  for (const Label& label : sorted) {
    if (label.value.empty()) continue;
    std::string_view valid = label.value;
    if (FindInvalidUtf8(valid) != std::string_view::npos) {
      mended.clear();
      AppendValidUtf8(mended, valid);
      valid = mended;
    }
    set->AppendEncoded(label.name, valid);

    set->text_ += set->text_.empty() ? '{' : ',';
    set->text_ += label.name;
    set->text_ += "=\"";
    AppendEscaped(set->text_, valid);
    set->text_ += '"';
  }
  if (!set->text_.empty()) set->text_ += '}';
  set->text_ += ' ';
  set->text_size_ = set->text_.size();
  set->text_.append(kSlack, '\0');
  set->encoded_.append(kSlack, '\0');
  // Sets live as long as their series; what growing left over would be kept with them.
  set->text_.shrink_to_fit();
  set->encoded_.shrink_to_fit();
  set->fields_.shrink_to_fit();
  return set;
}

void LabelSet::AppendEncoded(std::string_view name, std::string_view value) {
  // LabelPair: name is field 1, value field 2, both strings.
  const size_t pair =
      2 + VarintSize(name.size()) + name.size() + VarintSize(value.size()) + value.size();
  encoded_ += '\x0a';
  AppendVarint(encoded_, pair);
  Field field{};
  encoded_ += '\x0a';
  AppendVarint(encoded_, name.size());
  field.name_at = static_cast<uint32_t>(encoded_.size());
  field.name_size = static_cast<uint32_t>(name.size());
  encoded_ += name;
  encoded_ += '\x12';
  AppendVarint(encoded_, value.size());
  field.value_at = static_cast<uint32_t>(encoded_.size());
  field.value_size = static_cast<uint32_t>(value.size());
  encoded_ += value;
  fields_.push_back(field);
}

std::shared_ptr<const LabelSet> LabelSet::Empty() {
  return Make({});
}

std::string_view LabelSet::name(size_t i) const {
  const Field& field = fields_.at(i);
  return std::string_view(encoded_).substr(field.name_at, field.name_size);
}

std::string_view LabelSet::value(size_t i) const {
  const Field& field = fields_.at(i);
  return std::string_view(encoded_).substr(field.value_at, field.value_size);
}

std::string_view LabelSet::Get(std::string_view label) const {
  for (size_t i = 0; i < fields_.size(); ++i) {
    if (name(i) == label) return value(i);
  }
  return {};
}

}  // namespace spire_exporter
