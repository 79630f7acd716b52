// Reads the comma-separated elements of a negotiating header: `type/subtype;name=value;q=0.5, ...`.
#ifndef EXPORTER_EXPOSE_HEADER_ELEMENTS_H_
#define EXPORTER_EXPOSE_HEADER_ELEMENTS_H_

#include <optional>
#include <string_view>

namespace spire_exporter {

// A value as it stands in the header; when it was quoted, without the quotes and with its
// backslashes.
struct HeaderParameter {
  std::string_view name;
  std::string_view value;
  bool quoted = false;

  // Compares without regard to case, and with backslashes of a quoted value resolved.
  bool Is(std::string_view text) const;
};

// One element: what stands before its first semicolon, and its parameters one by one.
class HeaderElement {
 public:
  explicit HeaderElement(std::string_view text);

  std::string_view value() const { return value_; }
  // The next parameter, or nothing at the end. After a malformed one broken() is true and no more
  // come.
  std::optional<HeaderParameter> NextParameter();
  bool broken() const { return broken_; }

 private:
  std::string_view value_;
  std::string_view rest_;
  bool broken_ = false;
};

// Takes the next non-empty element off the front of `rest`; commas within quotes do not part
// elements.
std::optional<HeaderElement> NextElement(std::string_view& rest);

// A quality in thousandths, 0..1000: `1`, `0.5`, `0.`; nothing when it is no quality. More than
// three decimals, which the grammar forbids, are taken by their first three, but what is not zero
// does not become zero.
std::optional<int> ParseQuality(std::string_view text);

// ASCII only.
bool EqualsIgnoringCase(std::string_view a, std::string_view b);

}  // namespace spire_exporter

#endif  // EXPORTER_EXPOSE_HEADER_ELEMENTS_H_
