#include "collectors/clients/spire_config/config_lexer.h"

#include <algorithm>

namespace spire_exporter::spire_config {
namespace {

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// Bytes of other scripts count as letters: HCL takes those that are.
bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & '\x80') != 0;
}

bool IsWord(char c) {
  return IsLetter(c) || IsDigit(c) || c == '-' || c == '.';
}

// The value of a hexadecimal digit, or -1.
int HexDigit(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void AppendUtf8(uint32_t point, std::string* out) {
  const auto put = [out](uint32_t byte) { out->push_back(static_cast<char>(byte)); };
  if (point >= 0xD800 && (point <= 0xDFFF || point > 0x10FFFF)) point = 0xFFFD;
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xC0 | point >> 6);
    put(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    put(0xE0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3F));
    put(0x80 | (point & 0x3F));
  } else {
    put(0xF0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3F));
    put(0x80 | (point >> 6 & 0x3F));
    put(0x80 | (point & 0x3F));
  }
}

// `digits` hexadecimal digits at `at`; -1 when they are not there.
int64_t ReadHex(std::string_view raw, size_t at, size_t digits) {
  if (raw.size() < at + digits) return -1;
  int64_t value = 0;
  for (size_t i = at; i < at + digits; ++i) {
    const int digit = HexDigit(raw[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

// What a one-letter escape stands for, or 0.
char SimpleEscape(char c) {
  switch (c) {
    case 'a':
      return '\a';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    case '\\':
      return '\\';
    case '"':
      return '"';
    case '/':
      return '/';
    default:
      return 0;
  }
}

// The escape behind the backslash at `at`; the number of bytes it takes, or 0.
size_t DecodeEscape(std::string_view raw, size_t at, std::string* out) {
  if (at >= raw.size()) return 0;
  const char c = raw[at];
  if (const char simple = SimpleEscape(c); simple != 0) {
    out->push_back(simple);
    return 1;
  }
  if (c >= '0' && c <= '7') {
    int value = 0;
    size_t used = 0;
    while (used < 3 && at + used < raw.size() && raw[at + used] >= '0' && raw[at + used] <= '7') {
      value = value * 8 + (raw[at + used++] - '0');
    }
    out->push_back(static_cast<char>(value & 0xFF));
    return used;
  }
  const size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
  if (digits == 0) return 0;
  const int64_t value = ReadHex(raw, at + 1, digits);
  if (value < 0) return 0;
  if (c == 'x') {
    out->push_back(static_cast<char>(value));
    return 1 + digits;
  }
  // Two halves of a pair, as JSON writes what is beyond the 16-bit plane.
  if (value >= 0xD800 && value < 0xDC00 && raw.substr(std::min(at + 5, raw.size()), 2) == "\\u") {
    const int64_t low = ReadHex(raw, at + 7, 4);
    if (low >= 0xDC00 && low < 0xE000) {
      const int64_t point = 0x10000 + ((value - 0xD800) << 10) + (low - 0xDC00);
      AppendUtf8(static_cast<uint32_t>(point), out);
      return 11;
    }
  }
  AppendUtf8(static_cast<uint32_t>(value), out);
  return 1 + digits;
}

}  // namespace

bool Token::HasEnvironment() const {
  return kind == Kind::kEnvironment || raw.find('$') != std::string_view::npos;
}

bool Decode(const Token& token, std::string* out) {
  out->clear();
  if (token.kind != Token::Kind::kString) {
    out->assign(token.raw);
    return true;
  }
  for (size_t at = 0; at < token.raw.size();) {
    if (token.raw[at] != '\\') {
      out->push_back(token.raw[at++]);
      continue;
    }
    const size_t used = DecodeEscape(token.raw, at + 1, out);
    if (used == 0) return false;
    at += 1 + used;
  }
  return true;
}

char Lexer::Peek(size_t ahead) const {
  return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
}

void Lexer::Step() {
  if (text_[at_++] == '\n') {
    ++line_;
    column_ = 1;
  } else {
    ++column_;
  }
}

void Lexer::Fail(Token* token, const char* problem) {
  token->kind = Token::Kind::kBad;
  token->raw = {};
  token->problem = problem;
  failed_ = true;
}

// Blanks and comments. False for a comment that may not be or does not end.
bool Lexer::SkipBlank(Token* token) {
  while (at_ < text_.size()) {
    const char c = Peek();
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      Step();
      continue;
    }
    const bool line = c == '#' || (c == '/' && Peek(1) == '/');
    const bool block = c == '/' && Peek(1) == '*';
    if (!line && !block) return true;
    token->line = line_;
    token->column = column_;
    if (json_) {
      Fail(token, "a comment, which JSON has none of");
      return false;
    }
    if (line) {
      while (at_ < text_.size() && Peek() != '\n') Step();
      continue;
    }
    Step();
    Step();
    while (at_ < text_.size() && !(Peek() == '*' && Peek(1) == '/')) Step();
    if (at_ >= text_.size()) {
      Fail(token, "a comment that does not end");
      return false;
    }
    Step();
    Step();
  }
  return true;
}

Token Lexer::Next() {
  Token token;
  if (failed_) {
    Fail(&token, "an error before");
    return token;
  }
  if (!SkipBlank(&token)) return token;
  token.line = line_;
  token.column = column_;
  if (at_ >= text_.size()) return token;
  using Kind = Token::Kind;
  const char c = Peek();
  static constexpr std::string_view kMarks = "={}[],";
  static constexpr Kind kMarkKinds[] = {Kind::kAssign,      Kind::kOpenBrace,    Kind::kCloseBrace,
                                        Kind::kOpenBracket, Kind::kCloseBracket, Kind::kComma};
  if (const size_t mark = kMarks.find(json_ && c == ':' ? '=' : c);
      mark != std::string_view::npos && !(json_ && c == '=')) {
    token.kind = kMarkKinds[mark];
    token.raw = text_.substr(at_, 1);
    Step();
  } else if (c == '"') {
    ReadString(&token);
  } else if (c == '<' && !json_) {
    ReadHeredoc(&token);
  } else if (c == '$') {
    ReadEnvironment(&token);
  } else if (IsLetter(c) || IsDigit(c) || c == '-' || c == '+' || c == '.') {
    ReadWord(&token);
  } else {
    Fail(&token, "a character that nothing begins with");
  }
  return token;
}

// As SPIRE's reader has it: within ${ } quotes and ends of lines are nothing special.
void Lexer::ReadString(Token* token) {
  Step();
  const size_t begin = at_;
  int braces = 0;
  while (at_ < text_.size()) {
    const char c = Peek();
    if (c == '"' && braces == 0) {
      token->kind = Token::Kind::kString;
      token->raw = text_.substr(begin, at_ - begin);
      Step();
      return;
    }
    if (c == '\n' && braces == 0) break;
    if (!json_) {
      if (braces == 0 && c == '$' && Peek(1) == '{') {
        ++braces;
        Step();
      } else if (braces > 0 && c == '{') {
        ++braces;
      } else if (braces > 0 && c == '}') {
        --braces;
      }
    }
    if (c == '\\' && at_ + 1 < text_.size() && Peek(1) != '\n') Step();
    Step();
  }
  Fail(token, "a string that does not end");
}

// <<ANCHOR or <<-ANCHOR, then lines up to one that holds the anchor alone.
void Lexer::ReadHeredoc(Token* token) {
  Step();
  if (Peek() != '<') return Fail(token, "a character that nothing begins with");
  Step();
  if (Peek() == '-') Step();
  const size_t named = at_;
  while (at_ < text_.size() && (IsLetter(Peek()) || IsDigit(Peek()))) Step();
  const std::string_view anchor = text_.substr(named, at_ - named);
  if (Peek() == '\r') Step();
  if (anchor.empty() || Peek() != '\n') return Fail(token, "a heredoc without a good anchor");
  Step();
  const size_t begin = at_;
  while (at_ < text_.size()) {
    const size_t line_begin = at_;
    while (at_ < text_.size() && Peek() != '\n') Step();
    if (at_ >= text_.size()) break;
    std::string_view line = text_.substr(line_begin, at_ - line_begin);
    Step();
    line.remove_prefix(std::min(line.find_first_not_of(" \t\v\f\r"), line.size()));
    while (line.ends_with('\r')) line.remove_suffix(1);
    if (line == anchor) {
      token->kind = Token::Kind::kHeredoc;
      token->raw = text_.substr(begin, line_begin - begin);
      return;
    }
  }
  Fail(token, "a heredoc that does not end");
}

void Lexer::ReadEnvironment(Token* token) {
  const size_t begin = at_;
  Step();
  if (Peek() == '{') {
    while (at_ < text_.size() && Peek() != '}' && Peek() != '\n') Step();
    if (Peek() != '}') return Fail(token, "a variable that does not end");
    Step();
  } else {
    while (at_ < text_.size() && (IsLetter(Peek()) || IsDigit(Peek()))) Step();
  }
  token->kind = Token::Kind::kEnvironment;
  token->raw = text_.substr(begin, at_ - begin);
}

void Lexer::ReadWord(Token* token) {
  const size_t begin = at_;
  const bool number = !IsLetter(Peek());
  Step();
  while (at_ < text_.size() &&
         (IsWord(Peek()) || (number && Peek() == '+') || (!json_ && Peek() == '$'))) {
    Step();
  }
  token->raw = text_.substr(begin, at_ - begin);
  token->kind = number ? Token::Kind::kNumber : Token::Kind::kIdentifier;
  if (token->HasEnvironment()) token->kind = Token::Kind::kEnvironment;
}

}  // namespace spire_exporter::spire_config
