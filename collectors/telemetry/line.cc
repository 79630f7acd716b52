#include "collectors/telemetry/line.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <optional>

#include "collectors/telemetry/number.h"

namespace spire_exporter::telemetry {
namespace {

constexpr std::string_view kRejectNames[kRejectCount] = {"",
                                                         "malformed",
                                                         "empty_name",
                                                         "invalid_value",
                                                         "refused_value",
                                                         "invalid_rate",
                                                         "unsupported_type",
                                                         "invalid_utf8",
                                                         "too_long",
                                                         "series_limit",
                                                         "truncated",
                                                         "event",
                                                         "service_check"};

std::optional<WireKind> KindOf(std::string_view type) {
  if (type == "c") return WireKind::kCounter;
  if (type == "g") return WireKind::kGauge;
  if (type == "ms" || type == "h" || type == "d") return WireKind::kTimer;
  return std::nullopt;
}

// The part of `rest` before the next bar, which is taken off with its bar.
std::string_view TakeSection(std::string_view* rest) {
  const size_t bar = rest->find('|');
  const std::string_view section = rest->substr(0, bar);
  rest->remove_prefix(bar == std::string_view::npos ? rest->size() : bar + 1);
  return section;
}

bool ParseRate(std::string_view text, uint64_t* weight) {
  double rate = 0;
  if (!ParseNumber(text, &rate) || !(rate > 0 && rate <= 1)) return false;
  const double times = std::round(1 / rate);
  *weight = times < static_cast<double>(kWeightMax) ? static_cast<uint64_t>(times) : kWeightMax;
  return true;
}

// The decimal digits at the start of eight bytes.
struct DigitRun {
  int size;  // 0..8
  uint64_t value;
};

DigitRun ScanDigits(const char* at) {
  const uint64_t digits = LoadDigits(at);
  const uint64_t others = OtherThanDigits(digits);
  if (others == 0) return {8, 0};
  const int size = std::countr_zero(others) / 8;
  if (size == 0) return {0, 0};
  // Moved to the high end; zeros come in below.
  return {size, ValueOfDigits(digits << (64 - 8 * size))};
}

constexpr double kPowers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7};
constexpr uint32_t kWholePowers[] = {1, 10, 100, 1000, 10'000, 100'000, 1'000'000, 10'000'000};

}  // namespace

Scanned ScanAnyNumber(const char* at) {
  const DigitRun whole = ScanDigits(at);
  if (whole.size == 0 || whole.size == 8) return {nullptr, 0};
  at += whole.size;
  if (*at != '.') return {at, static_cast<double>(static_cast<int64_t>(whole.value))};
  const DigitRun part = ScanDigits(at + 1);
  if (part.size == 0 || part.size == 8) return {nullptr, 0};
  const uint64_t mantissa = whole.value * kWholePowers[part.size] + part.value;
  return {at + 1 + part.size,
          static_cast<double>(static_cast<int64_t>(mantissa)) / kPowers[part.size]};
}

bool ParseNumber(std::string_view text, double* value) {
  // from_chars takes no plus sign; other writers of numbers do.
  if (text.size() > 1 && text[0] == '+' && text[1] != '-' && text[1] != '+') text.remove_prefix(1);
  const char* const end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, *value);
  return problem == std::errc() && stop == end;
}

std::span<const std::string_view> RejectNames() {
  return kRejectNames;
}

Reject ParseLine(std::string_view line, Line* out) {
  if (line.back() == '\r') line.remove_suffix(1);
  if (line.starts_with("_e{")) return Reject::kEvent;
  if (line.starts_with("_sc|")) return Reject::kServiceCheck;

  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return Reject::kMalformed;
  if (colon == 0) return Reject::kEmptyName;
  const size_t bar = line.find('|', colon + 1);
  if (bar == std::string_view::npos) return Reject::kMalformed;
  out->name = line.substr(0, colon);
  // A bar in the name means that the colon belongs to a later section.
  if (out->name.find('|') != std::string_view::npos) return Reject::kMalformed;
  out->values = line.substr(colon + 1, bar - colon - 1);

  std::string_view rest = line.substr(bar + 1);
  out->type = TakeSection(&rest);
  const std::optional<WireKind> kind = KindOf(out->type);
  if (!kind) return out->type.empty() ? Reject::kMalformed : Reject::kUnsupportedType;
  out->kind = *kind;

  out->tags = {};
  out->weight = 1;
  while (!rest.empty()) {
    const std::string_view section = TakeSection(&rest);
    if (section.starts_with('#')) {
      out->tags = section.substr(1);
    } else if (section.starts_with('@')) {
      if (!ParseRate(section.substr(1), &out->weight)) return Reject::kInvalidRate;
    }
    // `T`, `c:`, `e:`, `card:` and what later versions bring change no value.
  }
  if (out->name.size() + out->tags.size() > kKeySizeMax) return Reject::kTooLong;
  return Reject::kNone;
}

bool TagList::Parse(std::string_view tags) {
  size_ = 0;
  while (!tags.empty()) {
    const size_t comma = tags.find(',');
    const std::string_view tag = tags.substr(0, comma);
    tags.remove_prefix(comma == std::string_view::npos ? tags.size() : comma + 1);
    if (tag.empty()) continue;
    const size_t colon = tag.find(':');
    Label label{tag.substr(0, colon), {}};
    if (colon != std::string_view::npos) label.value = tag.substr(colon + 1);
    size_t at = 0;
    while (at < size_ && labels_[at].name != label.name) ++at;
    if (at == kTagsMax) return false;
    labels_[at] = label;
    if (at == size_) ++size_;
  }
  return true;
}

bool ValueReader::Next(double* value) {
  if (done_) return false;
  const size_t colon = rest_.find(':');
  const std::string_view text = rest_.substr(0, colon);
  if (colon == std::string_view::npos) {
    done_ = true;
  } else {
    rest_.remove_prefix(colon + 1);
  }
  if (ParseNumber(text, value)) return true;
  bad_ = true;
  done_ = true;
  return false;
}

}  // namespace spire_exporter::telemetry
