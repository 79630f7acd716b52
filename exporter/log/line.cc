#include "exporter/log/line.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>

#include "exporter/base/utf8.h"

namespace spire_exporter {
namespace {

// Shares of a line, counted in escaped bytes. What is left over holds the time, the level and
// `fields_dropped`.
constexpr size_t kMessageBytes = 1500;
constexpr size_t kValueBytes = 1000;
constexpr size_t kKeyBytes = 64;
constexpr size_t kReserve = 64;

// Characters that a terminal or an editor shows as something else than themselves.
bool Deceives(uint32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0xAD || c == 0x61C ||
         (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB) ||
         (c >= 0xE0000 && c <= 0xE007F);
}

void AppendUnicodeEscape(std::string& out, uint32_t unit) {
  char buffer[8];
  std::snprintf(buffer, sizeof buffer, "\\u%04x", static_cast<unsigned>(unit & 0xFFFF));
  out += buffer;
}

std::string EscapeOne(std::string_view bytes, uint32_t c) {
  std::string out;
  if (c == '"' || c == '\\') {
    out += '\\';
    out += static_cast<char>(c);
  } else if (c == '\n') {
    out = "\\n";
  } else if (c == '\r') {
    out = "\\r";
  } else if (c == '\t') {
    out = "\\t";
  } else if (Deceives(c)) {
    if (c > 0xFFFF) {  // as JSON writes it: a surrogate pair
      AppendUnicodeEscape(out, 0xD800 + ((c - 0x10000) >> 10));
      AppendUnicodeEscape(out, 0xDC00 + ((c - 0x10000) & 0x3FF));
    } else {
      AppendUnicodeEscape(out, c);
    }
  } else {
    out = bytes;
  }
  return out;
}

// The inside of a JSON string, at most `limit` bytes; what is cut ends in `...`.
std::string Escape(std::string_view text, size_t limit) {
  std::string out;
  size_t fits = 0;  // up to here the three dots still have room
  for (size_t at = 0; at < text.size();) {
    const Utf8Char next = DecodeUtf8(text.substr(at));
    const std::string piece = next.length == 0
                                  ? "\xEF\xBF\xBD"
                                  : EscapeOne(text.substr(at, next.length), next.code_point);
    if (out.size() + piece.size() > limit) {
      out.resize(fits);
      return out + "...";
    }
    out += piece;
    if (out.size() + 3 <= limit) fits = out.size();
    at += std::max<size_t>(next.length, 1);
  }
  return out;
}

// Whether logfmt can do without quotes.
bool Bare(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c > 0x20 && c < 0x7F && c != '=' && c != '"' && c != '\\';
  });
}

std::string Key(std::string_view key) {
  std::string out;
  for (const char c : key.substr(0, kKeyBytes)) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    out += word ? c : '_';
  }
  if (out.empty()) out = "_";
  return out == "ts" || out == "level" || out == "msg" ? "field_" + out : out;
}

std::string Pair(LogFormat format, std::string_view key, std::string_view value, size_t limit,
                 bool always_quoted = false) {
  const std::string escaped = Escape(value, limit);
  if (format == LogFormat::kJson) {
    return ",\"" + std::string(key) + "\":\"" + escaped + "\"";
  }
  const bool bare = !always_quoted && Bare(value) && Bare(escaped);
  return " " + std::string(key) + (bare ? "=" + escaped : "=\"" + escaped + "\"");
}

}  // namespace

std::string_view LogLevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarn:
      return "warn";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

std::string LogTimestamp(SystemTime time) {
  const auto since = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
  const auto whole = std::chrono::floor<std::chrono::seconds>(since);
  const std::time_t seconds = static_cast<std::time_t>(whole.count());
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char date[32];
  const size_t length = std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
  char fraction[8];
  std::snprintf(fraction, sizeof fraction, ".%03dZ", static_cast<int>((since - whole).count()));
  return std::string(date, length) + fraction;
}

std::string FormatLogLine(LogFormat format, SystemTime time, LogLevel level,
                          std::string_view message, std::span<const LogField> fields) {
  const bool json = format == LogFormat::kJson;
  std::string line = json ? "{\"ts\":\"" + LogTimestamp(time) + "\"" : "ts=" + LogTimestamp(time);
  line += Pair(format, "level", LogLevelName(level), kKeyBytes);
  line += Pair(format, "msg", message, kMessageBytes, true);
  for (size_t i = 0; i < fields.size(); ++i) {
    const std::string pair = Pair(format, Key(fields[i].key), fields[i].value, kValueBytes);
    if (line.size() + pair.size() + kReserve > kMaxLogLineBytes) {
      line += Pair(format, "fields_dropped", std::to_string(fields.size() - i), kKeyBytes);
      break;
    }
    line += pair;
  }
  return line += json ? "}\n" : "\n";
}

}  // namespace spire_exporter
