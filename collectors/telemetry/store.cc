#include "collectors/telemetry/store.h"

#include <bit>
#include <cmath>

#include "collectors/telemetry/byte_search.h"
#include "collectors/telemetry/number.h"
#include "exporter/base/utf8.h"

namespace spire_exporter::telemetry {
namespace {

// Spellings remembered: raw lines differ by the order of tags and by tags that map to nothing.
constexpr size_t kMemoPerSeries = 2;
constexpr size_t kMemoBytes = size_t{1} << 20;
// Above this nothing is a measurement, and sums could reach infinity.
constexpr double kAmountMax = 1e15;
// Some thirty years: more is no uptime.
constexpr double kUptimeMaxSeconds = 1e9;
// Longer names take the slow path.
constexpr std::ptrdiff_t kUsualNameMax = 256;
// A usual line ends in [kFeedFrom, kWindow): name, colon, digit and the rest have 34 bytes.
constexpr std::ptrdiff_t kFeedFrom = 32;
constexpr std::ptrdiff_t kWindow = kFeedFrom + 96;

SelfLine SelfLineOf(std::string_view name) {
  const std::string_view last = name.substr(name.rfind('.') + 1);
  if (last == "metrics") return SelfLine::kMetrics;
  if (last == "packets_dropped_queue") return SelfLine::kDroppedQueue;
  if (last == "packets_dropped_writer") return SelfLine::kDroppedWriter;
  return SelfLine::kOther;
}

bool IsTotal(Effect effect) {
  return effect == Effect::kObserve || effect == Effect::kCrossCheck || effect == Effect::kAdd ||
         effect == Effect::kSum;
}

}  // namespace

Store::Store(const StoreOptions& options, const Clock& clock)
    : clock_(clock),
      started_(clock.Steady()),
      started_seconds_(UnixSeconds(clock.System())),
      options_(options),
      memo_(options.series_max * kMemoPerSeries, kMemoBytes),
      stream_alive_since_(started_) {}

Store::~Store() = default;

void Store::SetOptions(const StoreOptions& options) {
  options_ = options;
  memo_.Clear();
}

void Store::SetTap(EventTap* tap) {
  if (tap_ == tap) return;
  tap_ = tap;
  memo_.Clear();
}

// What a remembered line does, unless it is of a kind that wants a second look.
[[gnu::always_inline]] inline bool Store::TakeKnown(const Target& target, double value,
                                                    SteadyTime latest) {
  StreamSeries* const series = target.series;
  if (target.histogram != nullptr) {
    target.histogram->Observe(value * target.scale);
    ++series->timer_events;
  } else if (target.counter != nullptr) {
    *target.counter += value * target.scale;
    if (target.effect == Effect::kCrossCheck) return true;
  } else {
    return false;
  }
  series->stream_last = latest;
  series->present = true;
  series->dirty = true;
  return true;
}

// The line feed is looked for where a usual line may have it, at once and not after the value, so
// that the processor begins with the next line before it is done with this one. What is found too
// late, because the line has a colon or ends before the places looked at, is no key: all bytes are
// compared, and none has a line feed, or a colon in its name.
[[gnu::always_inline]] inline const char* Store::TakeUsual(const char* at, const char* end,
                                                           SteadyTime latest) {
  if (end - at < kWindow) [[unlikely]]
    return TakeNearEnd(at, end, latest);
  const uint64_t near = Hits<'\n', 4>(at + kFeedFrom);
  const uint64_t far = Hits<'\n', 2>(at + kFeedFrom + 64);
  const uint64_t feeds = near != 0 ? near : far;
  const char* const from = at + kFeedFrom + (near != 0 ? 0 : 64);
  const uint64_t colons = Hits<':', 4>(at + MemoTable::kUsualName);
  if (feeds == 0 || colons == 0) [[unlikely]]
    return TakeNearEnd(at, end, latest);
  const char* const stop = from + static_cast<uint32_t>(std::countr_zero(feeds));
  const char* const colon =
      at + MemoTable::kUsualName + static_cast<uint32_t>(std::countr_zero(colons));
  static_assert(MemoTable::kUsualName + 64 + kScanRoom < kWindow);
  const auto [behind, value] = ScanNumber(colon + 1);
  constexpr std::ptrdiff_t kLeast = MemoTable::kUsualRest;
  if (behind == nullptr || stop - behind < kLeast) [[unlikely]]
    return TakeNearEnd(at, end, latest);
  const Target* const target = memo_.FindUsual({at, static_cast<size_t>(colon - at)},
                                               {behind, static_cast<size_t>(stop - behind)});
  if (target != nullptr && TakeKnown(*target, value, latest)) [[likely]]
    return stop;
  return TakeNearEnd(at, end, latest);
}

const char* Store::TakeNearEnd(const char* at, const char* end, SteadyTime latest) {
  // Bounded, so that lines without a colon do not make it a search through the whole datagram each.
  const char* const horizon = end - at > kUsualNameMax ? at + kUsualNameMax : end;
  const char* const colon = FindByte<':'>(at, horizon);
  if (colon == horizon || end - colon <= kScanRoom) return nullptr;
  const auto [behind, value] = ScanNumber(colon + 1);
  if (behind == nullptr) return nullptr;
  const char* const stop = FindByte<'\n'>(behind, end);
  const Target* const target = memo_.Find({at, static_cast<size_t>(colon - at)},
                                          {behind, static_cast<size_t>(stop - behind)});
  return target != nullptr && TakeKnown(*target, value, latest) ? stop : nullptr;
}

void Store::Feed(std::string_view datagram, bool truncated, const Arrival& arrival,
                 ListenerCounts* counts) {
  ++counts->datagrams;
  counts->truncated_datagrams += truncated;
  counts->ledger.NoteDatagram(arrival.latest);
  const char* at = datagram.data();
  const char* end = at + datagram.size();
  bool any = false;
  if (truncated) {
    // What is behind the last line feed is a part of a line.
    const size_t whole = datagram.rfind('\n') + 1;
    if (whole < datagram.size()) {
      ++plain_;
      any = true;
      ++counts->outcomes[static_cast<size_t>(Reject::kTruncated)];
      end = at + whole;
    }
  }
  while (at < end) {
    if (*at == '\n') {
      ++at;
      continue;
    }
    // Counted in a register for as long as all are usual. An empty line is not.
    uint64_t usual = 0;
    while (at < end) {
      const char* const stop = TakeUsual(at, end, arrival.latest);
      if (stop == nullptr) break;
      ++usual;
      at = stop == end ? end : stop + 1;
    }
    plain_ += usual;
    counts->outcomes[static_cast<size_t>(Reject::kNone)] += usual;
    any |= usual != 0;
    if (at == end || *at == '\n') continue;
    any = true;
    ++plain_;
    const char* const stop = FindByte<'\n'>(at, end);
    const Reject reject = TakeUnusual({at, static_cast<size_t>(stop - at)}, arrival, counts);
    ++counts->outcomes[static_cast<size_t>(reject)];
    at = stop;
  }
  counts->ledger.AddLines(plain_);
  plain_ = 0;
  if (!any) return;
  if (!stream_last_ || arrival.latest - *stream_last_ > kStreamSilence) {
    stream_alive_since_ = arrival.earliest;
  }
  stream_last_ = arrival.latest;
}

Reject Store::TakeUnusual(std::string_view text, const Arrival& arrival, ListenerCounts* counts) {
  Line line;
  if (const Reject reject = ParseLine(text, &line); reject != Reject::kNone) {
    // The client counts neither among its metrics.
    if (reject == Reject::kEvent || reject == Reject::kServiceCheck) --plain_;
    return reject;
  }
  // All values first: a line is taken as a whole or not at all.
  double value = 0;
  ValueReader check(line.values);
  while (check.Next(&value)) continue;
  if (check.bad()) return Reject::kInvalidValue;

  // What lines with the same name, type and tags share, whatever else they say.
  scratch_.assign("|").append(line.type);
  if (!line.tags.empty()) scratch_.append("|#").append(line.tags);
  Target target;
  if (const Target* const known = memo_.Find(line.name, scratch_)) {
    target = *known;
  } else {
    if (const Reject reject = Resolve(line, &target); reject != Reject::kNone) return reject;
    // At the end of a line a carriage return would be no part of the tags.
    if (scratch_.back() != '\r') memo_.Put(line.name, scratch_, target);
  }
  ValueReader refuse(line.values);
  while (refuse.Next(&value)) {
    if (!Acceptable(target, value)) return Reject::kRefusedValue;
  }
  ValueReader values(line.values);
  while (values.Next(&value)) {
    // Cannot be refused any more.
    (void)ApplyValue(target, value, line.weight, arrival, counts);
  }
  return Reject::kNone;
}

Reject Store::Resolve(const Line& line, Target* target) {
  if (FindInvalidUtf8(line.name) != std::string_view::npos ||
      FindInvalidUtf8(line.tags) != std::string_view::npos) {
    return Reject::kInvalidUtf8;
  }
  TagList tags;
  if (!tags.Parse(line.tags)) return Reject::kTooLong;
  const Mapped mapped = MapSeries(line.name, line.kind, tags.labels(), options_.metric_prefix,
                                  options_.component_hint);
  target->effect = mapped.effect;
  target->scale = mapped.scale;
  target->absent_below = mapped.absent_below;
  if (mapped.effect == Effect::kSelf) {
    target->self = SelfLineOf(line.name);
    for (const Label& tag : tags.labels()) target->client_reports |= tag.name == "client_version";
    return Reject::kNone;
  }
  if (mapped.family == nullptr) return Reject::kNone;
  const size_t dot = line.name.find('.');
  target->started = line.kind == WireKind::kGauge && dot != std::string_view::npos &&
                    line.name.substr(dot) == ".started";
  target->series = SeriesFor(*mapped.family, MakeSeriesLabels(mapped, options_.label_length_max),
                             IsTotal(mapped.effect), mapped.known);
  if (target->series == nullptr) return Reject::kSeriesLimit;
  if (tap_ != nullptr && mapped.effect != Effect::kCrossCheck) {
    target->tap = target->started ? Tap::kStarted : TapOf(*mapped.family, *target->series->labels);
    // Without the parts below, its lines go the way on which the tap stands.
    if (target->tap != Tap::kNone) return Reject::kNone;
  }
  static_assert(kScannedMax <= kAmountMax);
  switch (mapped.effect) {
    case Effect::kObserve:
      target->histogram = target->series->histogram.get();
      break;
    case Effect::kCrossCheck:
      // Of events, in whatever unit their timers are.
      target->scale = 1;
      target->counter = &target->series->counter_events;
      break;
    case Effect::kAdd:
    case Effect::kSum:
      target->counter = &target->series->value;
      break;
    default:
      break;
  }
  return Reject::kNone;
}

bool Store::Acceptable(const Target& target, double value) {
  switch (target.effect) {
    case Effect::kObserve:
    case Effect::kCrossCheck:
    case Effect::kAdd:
    case Effect::kSum:
    case Effect::kSelf:
      return value >= 0 && value <= kAmountMax;
    case Effect::kSet:
    case Effect::kHeartbeat:
      return std::isfinite(value * target.scale);
    case Effect::kIgnore:
      return true;
  }
  return false;
}

Reject Store::ApplyValue(const Target& target, double value, uint64_t weight,
                         const Arrival& arrival, ListenerCounts* counts) {
  // NaN fails every comparison.
  if (!Acceptable(target, value)) return Reject::kRefusedValue;
  StreamSeries* const series = target.series;
  if (target.tap != Tap::kNone) tap_->OnEvent(target.tap, value * target.scale, arrival);
  switch (target.effect) {
    case Effect::kObserve:
      if (weight == 1) {
        series->histogram->Observe(value * target.scale);
      } else {
        series->histogram->Observe(value * target.scale, weight);
      }
      series->timer_events += weight;
      break;
    case Effect::kCrossCheck:
      series->counter_events += value * static_cast<double>(weight);
      return Reject::kNone;
    case Effect::kAdd:
    case Effect::kSum:
      series->value += value * target.scale * static_cast<double>(weight);
      break;
    case Effect::kHeartbeat:
      counts->ledger.AddLines(plain_);
      plain_ = 0;
      // Below zero or beyond any life of a process, it is a state like any other and no clock.
      if (value >= 0 && value * target.scale <= kUptimeMaxSeconds) {
        counts->ledger.OnHeartbeat(arrival,
                                   std::chrono::duration_cast<Duration>(
                                       std::chrono::duration<double>(value * target.scale)));
      }
      [[fallthrough]];
    case Effect::kSet:
      if (target.started) counts->ledger.OnHeartbeat(arrival, Duration::zero());
      if (value < target.absent_below) {
        series->present = false;
        series->stream_last = arrival.latest;
        return Reject::kNone;
      }
      SetState(*series, value * target.scale);
      break;
    case Effect::kSelf:
      ApplySelf(target, value, arrival, counts);
      return Reject::kNone;
    case Effect::kIgnore:
      return Reject::kNone;
  }
  series->stream_last = arrival.latest;
  series->present = true;
  series->dirty = true;
  return Reject::kNone;
}

void Store::ApplySelf(const Target& target, double value, const Arrival& arrival,
                      ListenerCounts* counts) {
  // The line that is being read is not one that the client was handed. Packed values come here more
  // than once for one line.
  if (plain_ > 0) --plain_;
  counts->ledger.AddLines(plain_);
  plain_ = 0;
  counts->ledger.OnSelfLine(target.client_reports);
  const auto amount = static_cast<uint64_t>(value);
  switch (target.self) {
    case SelfLine::kMetrics:
      counts->client_sent_metrics += amount;
      counts->ledger.OnReport(amount, arrival.latest);
      break;
    case SelfLine::kDroppedQueue:
      counts->client_dropped_queue += amount;
      break;
    case SelfLine::kDroppedWriter:
      counts->client_dropped_writer += amount;
      break;
    case SelfLine::kNone:
    case SelfLine::kOther:
      break;
  }
}

}  // namespace spire_exporter::telemetry
