// UTF-8, looked at one character at a time: for every place that takes bytes from a peer or a
// person and owes valid text to the next reader.
#ifndef EXPORTER_BASE_UTF8_H_
#define EXPORTER_BASE_UTF8_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace spire_exporter {

// One character at the start of a text. `length` is 0 when the text is empty or does not start with
// a well-formed sequence (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
struct Utf8Char {
  size_t length = 0;
  uint32_t code_point = 0;
};

Utf8Char DecodeUtf8(std::string_view text);

// The offset of the first byte that is not part of well-formed UTF-8; npos when there is none.
size_t FindInvalidUtf8(std::string_view text);

}  // namespace spire_exporter

#endif  // EXPORTER_BASE_UTF8_H_
