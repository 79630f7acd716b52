// The tokens of HCL 1 and of JSON.
#ifndef COLLECTORS_CLIENTS_SPIRE_CONFIG_CONFIG_LEXER_H_
#define COLLECTORS_CLIENTS_SPIRE_CONFIG_CONFIG_LEXER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace spire_exporter::spire_config {

struct Token {
  enum class Kind {
    kEnd,
    kIdentifier,  // also true, false, null
    kString,      // `raw` is what stands between the quotes
    kHeredoc,     // `raw` is its lines, without those of the anchor
    kNumber,
    kEnvironment,  // a bare $NAME or ${NAME}, which SPIRE may replace by anything
    kAssign,       // `=`, and `:` in JSON
    kOpenBrace,
    kCloseBrace,
    kOpenBracket,
    kCloseBracket,
    kComma,
    kBad,  // `problem` says what
  };

  Kind kind = Kind::kEnd;
  std::string_view raw;  // into the text
  uint32_t line = 1;
  uint32_t column = 1;       // in bytes, from 1
  const char* problem = "";  // static storage

  // A string or bare word with a `$` in it.
  bool HasEnvironment() const;
};

// Reads on from where it stands; never past the text. Comments (`#`, `//`, `/* */`) are skipped, in
// JSON they are kBad. After kBad only more of it comes.
class Lexer {
 public:
  Lexer(std::string_view text, bool json) : text_(text), json_(json) {}

  Token Next();

 private:
  char Peek(size_t ahead = 0) const;
  void Step();  // one byte
  bool SkipBlank(Token* token);
  void ReadString(Token* token);
  void ReadHeredoc(Token* token);
  void ReadEnvironment(Token* token);
  void ReadWord(Token* token);
  void Fail(Token* token, const char* problem);

  const std::string_view text_;
  const bool json_;
  size_t at_ = 0;
  uint32_t line_ = 1;
  uint32_t column_ = 1;
  bool failed_ = false;
};

// What a string, an identifier or a heredoc stands for. False for an escape that neither language
// has.
bool Decode(const Token& token, std::string* out);

}  // namespace spire_exporter::spire_config

#endif  // COLLECTORS_CLIENTS_SPIRE_CONFIG_CONFIG_LEXER_H_
