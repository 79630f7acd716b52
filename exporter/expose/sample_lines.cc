#include "exporter/expose/sample_lines.h"

#include "exporter/expose/number.h"

namespace spire_exporter {
namespace {

constexpr std::string_view kInfTail = "+Inf\"} ";

}  // namespace

static_assert(LabelSet::kSlack >= kBlock);

SampleLines::SampleLines(std::string_view name, std::string_view suffix) {
  name_.Set(name, suffix);
}

// Everything of a line before its value, with room for that too.
inline char* SampleLines::PutHead(Output& out, const LabelSet& labels) const {
  const std::string_view braced = labels.braced();
  char* at = out.Room(name_.size() + braced.size() + kBlock + kNumberMax + 1);
  return PutBlocks(name_.Put(at), braced.data(), braced.size());
}

void SampleLines::Write(Output& out, const LabelSet& labels, double value) const {
  char* at = WriteValue(PutHead(out, labels), value);
  *at++ = '\n';
  out.Took(at);
}

void SampleLines::WriteCount(Output& out, const LabelSet& labels, uint64_t count) const {
  char* at = spire_exporter::WriteCount(PutHead(out, labels), count);
  *at++ = '\n';
  out.Took(at);
}

void BucketLines::Render(const HistogramValue& histogram) {
  if (histogram.bounds.get() == rendered_for_) return;
  rendered_for_ = histogram.bounds.get();
  tails_.clear();
  tails_size_ = 0;
  for (const double bound : *histogram.bounds) {
    char text[kNumberMax];
    const char* end = WriteBound(text, bound);
    tails_.emplace_back().Set(std::string_view(text, static_cast<size_t>(end - text)), "\"} ");
    tails_size_ += tails_.back().size();
  }
}

void BucketLines::Write(Output& out, const LabelSet& labels, const HistogramValue& histogram) {
  head_.Set(name_, "_bucket{", labels.rendered(), labels.size() == 0 ? "le=\"" : ",le=\"");
  const size_t buckets = histogram.cumulative.size();
  if (buckets != 0) Render(histogram);
  const size_t tails = buckets == 0 ? 0 : tails_size_;
  char* at = out.Room((buckets + 1) * (head_.size() + kNumberMax + 1) + tails + kInfTail.size() +
                      BlockText::kSlack);
  for (size_t i = 0; i < buckets; ++i) {
    at = WriteCount(tails_[i].Put(head_.Put(at)), histogram.cumulative[i]);
    *at++ = '\n';
  }
  at = Output::Put(head_.Put(at), kInfTail);
  at = WriteCount(at, histogram.count);
  *at++ = '\n';
  out.Took(at);
}

}  // namespace spire_exporter
