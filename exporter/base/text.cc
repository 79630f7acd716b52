#include "exporter/base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <system_error>

namespace spire_exporter {
namespace {

struct Unit {
  std::string_view name;
  int64_t ns;
};

// Largest first, as formatting walks it.
constexpr std::array<Unit, 7> kUnits = {{{"d", 86'400'000'000'000},
                                         {"h", 3'600'000'000'000},
                                         {"m", 60'000'000'000},
                                         {"s", 1'000'000'000},
                                         {"ms", 1'000'000},
                                         {"us", 1'000},
                                         {"ns", 1}}};

constexpr double kLongestNs = 100.0 * 366 * 86'400e9;

Error DurationError(std::string_view text) {
  return Error{
      Code::kInvalidArgument,
      Quoted(text) + " is not a duration: expected a number with a unit, such as 15s or 1m30s", "",
      false};
}

Error SizeError(std::string_view text, std::string_view hint) {
  return Error{Code::kInvalidArgument,
               Quoted(text) + " is not a size: expected bytes, KiB, MiB or GiB, such as " +
                   std::string(hint),
               "", false};
}

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row.back();
}

}  // namespace

Result<Duration> ParseDuration(std::string_view text) {
  if (text == "0") return Duration::zero();
  if (text.empty()) return DurationError(text);
  double total_ns = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    if (rest.front() < '0' || rest.front() > '9') return DurationError(text);
    double number = 0;
    const auto parsed =
        std::from_chars(rest.data(), rest.data() + rest.size(), number, std::chars_format::fixed);
    if (parsed.ec != std::errc()) return DurationError(text);
    rest.remove_prefix(static_cast<size_t>(parsed.ptr - rest.data()));
    size_t letters = 0;
    while (letters < rest.size() && rest[letters] >= 'a' && rest[letters] <= 'z') ++letters;
    const std::string_view name = rest.substr(0, letters);
    const auto unit = std::find_if(kUnits.begin(), kUnits.end(), [name](const Unit& candidate) {
      return candidate.name == name;
    });
    if (unit == kUnits.end()) return DurationError(text);
    total_ns += number * static_cast<double>(unit->ns);
    rest.remove_prefix(letters);
  }
  if (!(total_ns <= kLongestNs)) return DurationError(text);
  return Duration(std::llround(total_ns));
}

std::string FormatDuration(Duration duration) {
  if (duration == Duration::zero()) return "0s";
  std::string out;
  int64_t left = duration.count();
  if (left < 0) {
    out += '-';
    left = -left;
  }
  for (const Unit& unit : kUnits) {
    if (left >= unit.ns) {
      out += std::to_string(left / unit.ns) + std::string(unit.name);
      left %= unit.ns;
    }
  }
  return out;
}

Result<uint64_t> ParseSize(std::string_view text) {
  uint64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc()) return SizeError(text, "4MiB");
  const std::string_view unit = text.substr(static_cast<size_t>(parsed.ptr - text.data()));
  uint64_t factor = 1;
  if (unit == "KiB") {
    factor = 1ULL << 10;
  } else if (unit == "MiB") {
    factor = 1ULL << 20;
  } else if (unit == "GiB") {
    factor = 1ULL << 30;
  } else if (unit == "KB" || unit == "MB" || unit == "GB") {
    return SizeError(text, std::to_string(number) + unit[0] + "iB");
  } else if (!unit.empty() && unit != "B") {
    return SizeError(text, "4MiB");
  }
  if (number > (1ULL << 62) / factor) return SizeError(text, "4MiB");
  return number * factor;
}

std::string FormatSize(uint64_t bytes) {
  constexpr std::array<std::pair<uint64_t, const char*>, 3> kSizes = {
      {{1ULL << 30, "GiB"}, {1ULL << 20, "MiB"}, {1ULL << 10, "KiB"}}};
  for (const auto& [factor, name] : kSizes) {
    if (bytes != 0 && bytes % factor == 0) return std::to_string(bytes / factor) + name;
  }
  return std::to_string(bytes);
}

std::string_view NearestName(std::string_view name, std::span<const std::string_view> candidates) {
  // A name far beyond any candidate has no near one; the cap bounds the work on hostile input.
  if (name.size() > 64) return {};
  size_t best_distance = std::clamp<size_t>(name.size() / 3, 1, 4) + 1;
  std::string_view best;
  for (const std::string_view candidate : candidates) {
    const size_t distance = EditDistance(name, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string Quoted(std::string_view text) {
  constexpr size_t kLongest = 200;
  std::string out = "\"";
  for (const char c : text.substr(0, kLongest)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte >= 0x20 && byte < 0x7f) {
      out += c;
    } else {
      std::array<char, 5> hex{};
      std::snprintf(hex.data(), hex.size(), "\\x%02x", byte);
      out += hex.data();
    }
  }
  out += text.size() > kLongest ? "\"..." : "\"";
  return out;
}

std::string ShellWord(std::string_view text) {
  const auto bare = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_-./:@%+").find(c) != std::string_view::npos;
  };
  if (!text.empty() && std::all_of(text.begin(), text.end(), bare)) return std::string(text);
  std::string word = "'";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\'') {
      word += "'\\''";
    } else {
      word += byte < 0x20 || byte == 0x7f ? '?' : c;
    }
  }
  return word + "'";
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::string ErrnoText(int error_number) {
  return std::error_code(error_number, std::generic_category()).message();
}

}  // namespace spire_exporter
