#include "exporter/expose/negotiation.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <tuple>

#include "exporter/expose/header_elements.h"

namespace spire_exporter {
namespace {

struct Parameter {
  std::string_view name;
  std::string_view value;
};
constexpr std::array kTextParameters = {Parameter{"version", "0.0.4"}};
constexpr std::array kOpenMetricsParameters = {Parameter{"version", "1.0.0"}};
constexpr std::array kProtobufParameters = {Parameter{"proto", "io.prometheus.client.MetricFamily"},
                                            Parameter{"encoding", "delimited"}};

// What we can write. The first is the one for wildcards and for those whom nothing fits.
struct Offer {
  Format format;
  std::string_view type;  // with its slash, as in `text/`
  std::string_view subtype;
  std::span<const Parameter> parameters;  // another value of one of these does not fit
  bool by_name_only = false;              // no wildcard fits, and all parameters must be there
};

constexpr std::array kOffers = {
    Offer{Format::kText, "text/", "plain", kTextParameters},
    Offer{Format::kOpenMetrics, "application/", "openmetrics-text", kOpenMetricsParameters},
    Offer{Format::kProtobuf, "application/", "vnd.google.protobuf", kProtobufParameters, true},
};

// How well a range fits: 0 not at all, 1 `*/*`, 2 `type/*`, 3 the type, 4 the type and its version.
int FitOf(const Offer& offer, std::string_view range) {
  if (range == "*/*" || range == "*") return 1;
  if (!EqualsIgnoringCase(range.substr(0, offer.type.size()), offer.type)) return 0;
  range.remove_prefix(offer.type.size());
  if (range == "*") return 2;
  return EqualsIgnoringCase(range, offer.subtype) ? 3 : 0;
}

// What the header says of one offer.
struct Verdict {
  int fit = 0;
  int quality = 0;
  int position = 0;
};

// What one element says of an offer; nothing when it does not speak of it or is malformed.
std::optional<Verdict> Judge(HeaderElement element, const Offer& offer, int position) {
  Verdict verdict{FitOf(offer, element.value()), 1000, position};
  if (verdict.fit < (offer.by_name_only ? 3 : 1)) return std::nullopt;
  uint32_t named = 0;  // which of the offer's parameters, by bit
  while (const auto parameter = element.NextParameter()) {
    if (EqualsIgnoringCase(parameter->name, "q")) {
      const auto quality = ParseQuality(parameter->value);
      if (!quality) return std::nullopt;
      verdict.quality = *quality;
    } else if (verdict.fit >= 3) {
      for (size_t i = 0; i < offer.parameters.size(); ++i) {
        if (!EqualsIgnoringCase(parameter->name, offer.parameters[i].name)) continue;
        if (!parameter->Is(offer.parameters[i].value)) return std::nullopt;
        verdict.fit = 4;
        named |= uint32_t{1} << i;
      }
    }
  }
  const uint32_t all = (uint32_t{1} << offer.parameters.size()) - 1;
  if (offer.by_name_only && named != all) return std::nullopt;
  if (element.broken()) return std::nullopt;
  return verdict;
}

Verdict JudgeAll(std::string_view accept, const Offer& offer) {
  Verdict best;
  int position = 0;
  while (const auto element = NextElement(accept)) {
    const auto verdict = Judge(*element, offer, ++position);
    if (!verdict) continue;
    if (std::tuple(verdict->fit, verdict->quality) > std::tuple(best.fit, best.quality)) {
      best = *verdict;
    }
  }
  return best;
}

bool Better(const Verdict& a, const Verdict& b) {
  if (a.quality != b.quality) return a.quality > b.quality;
  if ((a.fit >= 3) != (b.fit >= 3)) return a.fit >= 3;  // a version alone is no preference
  if (a.fit < 3 && a.fit != b.fit) return a.fit > b.fit;
  return a.position < b.position;
}

}  // namespace

Format ChooseFormat(std::string_view accept) {
  Format chosen = kOffers.front().format;
  Verdict best;
  for (const Offer& offer : kOffers) {
    const Verdict verdict = JudgeAll(accept, offer);
    if (verdict.quality == 0) continue;
    if (best.quality == 0 || Better(verdict, best)) {
      best = verdict;
      chosen = offer.format;
    }
  }
  return chosen;
}

Coding ChooseCoding(std::string_view accept_encoding) {
  std::optional<int> gzip;
  std::optional<int> identity;
  std::optional<int> any;
  const auto raise = [](std::optional<int>& to, int quality) {
    to = std::max(to.value_or(0), quality);
  };
  while (auto element = NextElement(accept_encoding)) {
    std::optional<int> quality = 1000;
    while (const auto parameter = element->NextParameter()) {
      if (EqualsIgnoringCase(parameter->name, "q")) quality = ParseQuality(parameter->value);
      if (!quality) break;
    }
    if (!quality || element->broken()) continue;
    const std::string_view name = element->value();
    if (EqualsIgnoringCase(name, "gzip") || EqualsIgnoringCase(name, "x-gzip")) {
      raise(gzip, *quality);
    } else if (EqualsIgnoringCase(name, "identity")) {
      raise(identity, *quality);
    } else if (name == "*") {
      raise(any, *quality);
    }
  }
  const int gzip_quality = gzip.value_or(any.value_or(0));
  // Identity that is not mentioned is acceptable, and less welcome than what is.
  const int identity_quality = identity.value_or(0);
  return gzip_quality > 0 && gzip_quality >= identity_quality ? Coding::kGzip : Coding::kIdentity;
}

}  // namespace spire_exporter
