// The labels of one series, made once and shared by every snapshot that holds the series.
#ifndef EXPORTER_METRICS_LABELS_H_
#define EXPORTER_METRICS_LABELS_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace spire_exporter {

struct Label {
  std::string_view name;
  std::string_view value;
};

// Immutable, sorted by name. Its rendered form is both its identity and the bytes that text 0.0.4
// and OpenMetrics write between the braces: `a="b",c="d"` with backslash, quote and line feed
// escaped (exposition formats, "Comments, help text, and type information"). Both forms that pages
// need are made once, here, so that a scrape copies them. Safe from any thread.
class LabelSet {
 public:
  // How many bytes may be read, though they mean nothing, behind the texts below: a writer that
  // copies whole blocks needs no care at the end.
  static constexpr size_t kSlack = 32;

  // Sorts by name; of a repeated name the first wins; each byte of a value that
  // is not part of well-formed UTF-8 is replaced by
  // U+FFFD; labels with an empty value are left out, as Prometheus treats them as absent.
  static std::shared_ptr<const LabelSet> Make(std::span<const Label> labels);
  static std::shared_ptr<const LabelSet> Empty();

  // `a="b",c="d"`, empty for no labels.
  std::string_view rendered() const {
    return fields_.empty() ? std::string_view() : braced().substr(1, text_size_ - 3);
  }
  // What stands between the name of a sample and its value: `{a="b",c="d"} `, a blank for no
  // labels.
  std::string_view braced() const { return {text_.data(), text_size_}; }
  // Every label as field 1 of a Metric of io.prometheus.client, tag and length included.
  std::string_view encoded() const { return {encoded_.data(), encoded_.size() - kSlack}; }

  size_t size() const { return fields_.size(); }
  std::string_view name(size_t i) const;
  std::string_view value(size_t i) const;  // unescaped
  // The value of a label, empty when there is none.
  std::string_view Get(std::string_view label) const;

 private:
  LabelSet() = default;
  void AppendEncoded(std::string_view name, std::string_view value);
  struct Field {
    uint32_t name_at, name_size, value_at, value_size;
  };
  std::string text_;  // braced(), then slack
  size_t text_size_ = 0;
  std::string encoded_;  // names and unescaped values as they stand in protobuf, then slack
  std::vector<Field> fields_;
};

}  // namespace spire_exporter

#endif  // EXPORTER_METRICS_LABELS_H_
