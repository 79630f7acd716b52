#include "exporter/expose/header_elements.h"

#include <algorithm>

#include "exporter/base/ascii.h"

namespace spire_exporter {
namespace {

bool IsBlank(char c) {
  return c == ' ' || c == '\t';
}

std::string_view Strip(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

// The `tchar` of RFC 9110, 5.6.2; a slash besides, for media types.
bool IsToken(std::string_view text) {
  constexpr std::string_view kPunctuation = "!#$%&'*+-.^_`|~/";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (Lower(c) >= 'a' && Lower(c) <= 'z') ||
           kPunctuation.find(c) != std::string_view::npos;
  });
}

// Where the first `mark` outside of quotes stands, or the end.
size_t FindOutsideQuotes(std::string_view text, char mark) {
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '\\') {
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == mark && !quoted) {
      return i;
    }
  }
  return text.size();
}

std::string_view TakeUntil(std::string_view& rest, char mark) {
  const size_t at = FindOutsideQuotes(rest, mark);
  const std::string_view taken = rest.substr(0, at);
  rest.remove_prefix(std::min(at + 1, rest.size()));
  return Strip(taken);
}

// Whether `text` is one whole quoted string.
bool IsQuoted(std::string_view text) {
  if (text.size() < 2 || text.front() != '"') return false;
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1 == text.size();
    }
  }
  return false;
}

}  // namespace

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return Lower(x) == Lower(y); });
}

bool HeaderParameter::Is(std::string_view text) const {
  if (!quoted) return EqualsIgnoringCase(value, text);
  size_t matched = 0;
  for (size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\\' && i + 1 < value.size()) ++i;
    if (matched == text.size() || Lower(value[i]) != Lower(text[matched])) return false;
    ++matched;
  }
  return matched == text.size();
}

HeaderElement::HeaderElement(std::string_view text) : rest_(text) {
  value_ = TakeUntil(rest_, ';');
  broken_ = !IsToken(value_);
}

std::optional<HeaderParameter> HeaderElement::NextParameter() {
  while (!broken_ && !rest_.empty()) {
    std::string_view text = TakeUntil(rest_, ';');
    if (text.empty()) continue;  // `a;;b`: an empty parameter says nothing
    HeaderParameter parameter;
    parameter.name = TakeUntil(text, '=');
    parameter.value = Strip(text);
    parameter.quoted = IsQuoted(parameter.value);
    if (parameter.quoted) parameter.value = parameter.value.substr(1, parameter.value.size() - 2);
    broken_ = !IsToken(parameter.name) || (!parameter.quoted && !IsToken(parameter.value));
    if (!broken_) return parameter;
  }
  return std::nullopt;
}

std::optional<HeaderElement> NextElement(std::string_view& rest) {
  while (!rest.empty()) {
    const std::string_view text = TakeUntil(rest, ',');
    if (!text.empty()) return HeaderElement(text);
  }
  return std::nullopt;
}

std::optional<int> ParseQuality(std::string_view text) {
  if (text.empty() || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  int thousandths = (text[0] - '0') * 1000;
  int place = 100;
  bool beyond = false;
  for (const char c : text.substr(std::min<size_t>(2, text.size()))) {
    if (c < '0' || c > '9') return std::nullopt;
    thousandths += (c - '0') * place;
    beyond = beyond || (place == 0 && c != '0');
    place /= 10;
  }
  if (thousandths > 1000 || (thousandths == 1000 && beyond)) return std::nullopt;
  if (thousandths == 0 && beyond) return 1;
  return thousandths;
}

}  // namespace spire_exporter
