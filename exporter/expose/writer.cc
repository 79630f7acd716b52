#include "exporter/expose/writer.h"

#include "exporter/expose/format_writers.h"
#include "exporter/expose/number.h"

namespace spire_exporter {

std::string_view ContentType(Format format) {
  switch (format) {
    case Format::kText:
      break;
    case Format::kOpenMetrics:
      return "application/openmetrics-text; version=1.0.0; charset=utf-8";
    case Format::kProtobuf:
      return "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "
             "encoding=delimited";
  }
  return "text/plain; version=0.0.4; charset=utf-8";
}

void Write(Format format, const Page& page, const WriteOptions& options, std::string& out) {
  switch (format) {
    case Format::kText:
      WriteText(page, out);
      return;
    case Format::kOpenMetrics:
      WriteOpenMetrics(page, options, out);
      return;
    case Format::kProtobuf:
      WriteProtobuf(page, out);
      return;
  }
}

size_t ExpectedTextSize(const Page& page) {
  constexpr size_t kValue = 12;  // of most samples, with the punctuation around it
  size_t size = 64;
  for (const PageFamily& family : page.families()) {
    const FamilyDescription& description = *family.description;
    size += 3 * (description.name.size() + 16) + description.help.size();
    // Series of one family are much alike, and a wrong guess costs a copy.
    const Series& first = *family.series.front();
    const size_t line = description.name.size() + first.labels->braced().size() + kValue;
    const HistogramValue* histogram = first.histogram.get();
    const size_t lines = histogram == nullptr ? 1 : histogram->cumulative.size() + 3;
    size += family.series.size() * lines * (histogram == nullptr ? line : line + 16);
  }
  return size;
}

void WriteMetadata(Output& out, std::string_view keyword, std::string_view name,
                   std::string_view suffix, std::string_view text, bool escape_quotes) {
  char* at = out.Room(keyword.size() + name.size() + suffix.size() + 2 * text.size() + 8);
  at = Output::Put(at, "# ");
  at = Output::Put(at, keyword);
  *at++ = ' ';
  at = Output::Put(at, name);
  at = Output::Put(at, suffix);
  *at++ = ' ';
  for (const char c : text) {
    if (c == '\n') {
      at = Output::Put(at, "\\n");
      continue;
    }
    if (c == '\\' || (c == '"' && escape_quotes)) *at++ = '\\';
    *at++ = c;
  }
  *at++ = '\n';
  out.Took(at);
}

}  // namespace spire_exporter
