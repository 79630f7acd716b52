// Writes a Page in the formats that Prometheus reads. Equal pages give equal bytes; every format
// has the same families, labels and values; no sample has a timestamp.
#ifndef EXPORTER_EXPOSE_WRITER_H_
#define EXPORTER_EXPOSE_WRITER_H_

#include <string>
#include <string_view>

#include "exporter/expose/page.h"

namespace spire_exporter {

enum class Format {
  kText,         // the Prometheus text format 0.0.4
  kOpenMetrics,  // OpenMetrics text 1.0.0
  kProtobuf,     // delimited messages io.prometheus.client.MetricFamily
};

// The value of the header Content-Type.
std::string_view ContentType(Format format);

struct WriteOptions {
  // `_created` samples in OpenMetrics, for series whose creation is known. Off by default: each is
  // a series of its own in a Prometheus that does not know what it means.
  bool created_samples = false;
};

// Appends the page to `out`. Cannot fail but for lack of memory. Costs about a copy of the bytes.
// Safe from any thread, also for one page at a time from several: nothing of it is changed.
//
// How the types that a format does not know are written:
// - Only protobuf has native buckets, and it has the classic ones beside them; creation times are
//   always in it. Where a series of a family has no native part, none of that family shows one:
//   Prometheus 2.42 judges all by the first. Observations known by number and sum only are in the
//   native bucket of infinity, as they are in `+Inf`. Infos and state sets are gauges, named as in
//   text.
// - Text has no gauge histograms: `x_bucket`, `x_gcount` and `x_gsum` are gauges there with HELP
//   and TYPE of their own. Info and state sets are gauges, unknown is `untyped`.
// - A counter whose name lacks `_total`, or an info whose name lacks `_info`, which only a foreign
//   registry can bring, is `unknown` in OpenMetrics: renaming it would make two series of one.
// - A state set is one in OpenMetrics only where the state's label has the family's name, and else
//   a gauge.
// - OpenMetrics forbids the sum of a histogram that is not a number, or negative, or (but for gauge
//   histograms) beside a negative bound; then `_sum` and `_count` are both left out there, and the
//   `+Inf` bucket tells the count.
void Write(Format format, const Page& page, const WriteOptions& options, std::string& out);

}  // namespace spire_exporter

#endif  // EXPORTER_EXPOSE_WRITER_H_
