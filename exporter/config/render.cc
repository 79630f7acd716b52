#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <string_view>

#include "exporter/base/utf8.h"
#include "exporter/config/yaml.h"

namespace spire_exporter {
namespace {

constexpr std::string_view kRedacted = "<redacted>";

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

// A reference to a file is no secret; what such a key usually holds is.
bool SecretKey(std::string_view key) {
  const std::string name = Lower(key);
  for (const std::string_view suffix : {"_file", "_path", "_files", "_dir"}) {
    if (name.ends_with(suffix)) return false;
  }
  for (const std::string_view part :
       {"passw", "pwd", "secret", "token", "credential", "conninfo", "connection_string", "dsn",
        "private_key", "privatekey", "api_key", "apikey", "bearer", "basic_auth_users"}) {
    if (name.find(part) != std::string::npos) return true;
  }
  return false;
}

// `postgres://user:password@host/` and `scheme://token@host/`: all of the user information goes,
// since either half may be the secret.
std::string WithoutUserInfo(std::string_view text) {
  std::string out;
  while (true) {
    const size_t scheme = text.find("://");
    if (scheme == std::string_view::npos) break;
    const size_t start = scheme + 3;
    const size_t end = std::min(text.find_first_of("/?# \t\n\"'", start), text.size());
    const size_t at = text.substr(0, end).rfind('@');
    out += text.substr(0, start);
    if (at != std::string_view::npos && at >= start) {
      out += kRedacted;
      text.remove_prefix(at);
    } else {
      text.remove_prefix(start);
    }
  }
  return out += text;
}

std::string Redact(std::string_view text) {
  // `password=` in a connection string, `access_token=` in a query: the value may be quoted and
  // hold anything, so nothing after the sign is kept.
  const std::string lower = Lower(text);
  size_t cut = std::string::npos;
  for (const std::string_view word : {"password", "passwd", "secret", "token"}) {
    for (size_t at = lower.find(word); at != std::string::npos; at = lower.find(word, at + 1)) {
      size_t sign = at + word.size();
      while (sign < lower.size() && lower[sign] == ' ') ++sign;
      if (sign < lower.size() && lower[sign] == '=') cut = std::min(cut, sign + 1);
    }
  }
  if (cut == std::string::npos) return WithoutUserInfo(text);
  return WithoutUserInfo(text.substr(0, cut)) + std::string(kRedacted);
}

bool IsWordChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Whether a text stays itself without quotes.
bool PlainValue(std::string_view text) {
  if (text.empty() || !(IsWordChar(text[0]) || text[0] == '/')) return false;
  const std::string lower = Lower(text);
  if (lower == "null") return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return IsWordChar(c) || c == '.' || c == '/' || c == '-' || c == '+';
  });
}

bool PlainKey(std::string_view text) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9')) return false;
  for (const std::string_view word :
       {"null", "true", "false", "yes", "no", "on", "off", "inf", "nan", "infinity"}) {
    if (Lower(text) == word) return false;
  }
  return std::all_of(text.begin(), text.end(), [](char c) { return IsWordChar(c) || c == '-'; }) &&
         text[0] != '-';
}

std::string DoubleQuoted(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (size_t at = 0; at < text.size();) {
    const Utf8Char next = DecodeUtf8(text.substr(at));
    const size_t length = std::max<size_t>(next.length, 1);
    const uint32_t c = next.length > 0 ? next.code_point : 0xFFFD;
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c >= 0x20 && c < 0x7F) {
      out += static_cast<char>(c);
    } else if (next.length == 0 || c < 0xA0 || (c >= 0x2028 && c <= 0x202E) || c == 0xFEFF) {
      // Anything that a terminal or another YAML reader could take for more than itself.
      out += "\\u";
      for (int shift = 12; shift >= 0; shift -= 4) out += kHex[c >> shift & 0xF];
    } else {
      out += text.substr(at, length);
    }
    at += length;
  }
  return out += '"';
}

std::string Value(std::string_view text) {
  return PlainValue(text) ? std::string(text) : DoubleQuoted(text);
}

class Renderer {
 public:
  std::string Take() { return std::move(out_); }

  void Entries(const ConfigNode& map, size_t indent) {
    bool first = true;
    for (const ConfigNode::Entry& entry : map.entries()) {
      // The first key of a map within a list stands behind the dash.
      if (!first || out_.empty() || out_.back() == '\n') out_.append(indent, ' ');
      first = false;
      out_ += PlainKey(entry.key) ? entry.key : DoubleQuoted(entry.key);
      out_ += ':';
      Node(entry.value, indent + 2, SecretKey(entry.key));
    }
  }

 private:
  // Everything below a secret key is secret.
  void Node(const ConfigNode& node, size_t indent, bool secret) {
    switch (node.kind()) {
      case ConfigNode::Kind::kAbsent:
      case ConfigNode::Kind::kNull:
        out_ += " null\n";
        return;
      case ConfigNode::Kind::kScalar: {
        const bool hide = secret && !node.text().empty();
        out_ += " " + Value(hide ? std::string(kRedacted) : Redact(node.text())) + "\n";
        return;
      }
      case ConfigNode::Kind::kSequence:
        if (node.items().empty()) {
          out_ += " []\n";
        } else if (secret) {
          out_ += " " + Value(kRedacted) + "\n";
        } else {
          out_ += '\n';
          for (const ConfigNode& item : node.items()) Item(item, indent);
        }
        return;
      case ConfigNode::Kind::kMap:
        if (node.entries().empty()) {
          out_ += " {}\n";
        } else if (secret) {
          out_ += " " + Value(kRedacted) + "\n";
        } else {
          out_ += '\n';
          Entries(node, indent);
        }
        return;
    }
  }

  void Item(const ConfigNode& item, size_t indent) {
    out_.append(indent, ' ');
    out_ += '-';
    if (item.kind() == ConfigNode::Kind::kMap && !item.entries().empty()) {
      out_ += ' ';
      Entries(item, indent + 2);
    } else {
      Node(item, indent + 2, false);
    }
  }

  std::string out_;
};

}  // namespace

std::string Render(const ConfigNode& node) {
  if (node.entries().empty()) return "{}\n";
  Renderer renderer;
  renderer.Entries(node, 0);
  return renderer.Take();
}

}  // namespace spire_exporter
