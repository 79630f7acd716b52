// Letters without a locale, for protocols whose words are ASCII in any case.
#ifndef EXPORTER_BASE_ASCII_H_
#define EXPORTER_BASE_ASCII_H_

namespace spire_exporter {

// Whatever is no capital of ASCII stays as it is.
constexpr char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace spire_exporter

#endif  // EXPORTER_BASE_ASCII_H_
