#include "collectors/telemetry/mapping.h"

#include <algorithm>
#include <array>
#include <optional>

#include "collectors/telemetry/families.h"
#include "collectors/telemetry/mapping_table.h"

namespace spire_exporter::telemetry {
namespace {

constexpr std::string_view kElapsed = "_elapsed_time";
constexpr size_t kMaxKey = 100;
constexpr size_t kMaxMethod = 64;
constexpr size_t kMaxAttestor = 32;
constexpr size_t kMaxVersion = 64;

bool IsWordByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Both spellings end here: what is no letter or digit becomes one underscore, and so does a run of
// them, since a part of a key may be empty (`cache_manager__expiring_svids` of 1.7 and 1.8).
std::string Canonical(std::string_view key) {
  std::string out;
  out.reserve(key.size());
  for (const char c : key) {
    const char mapped = IsWordByte(c) ? c : '_';
    if (mapped == '_' && !out.empty() && out.back() == '_') continue;
    out += mapped;
  }
  return out;
}

// Cut to `limit` bytes; bytes outside the words, dots and dashes become underscores.
std::string Bounded(std::string_view value, size_t limit) {
  std::string out(value.substr(0, limit));
  for (char& c : out) {
    if (!IsWordByte(c) && c != '.' && c != '-') c = '_';
  }
  return out;
}

// A key as a label value. Two long keys that begin alike stay apart by a hash (FNV-1a, 32 bits) of
// the whole.
std::string KeyLabel(std::string_view canonical) {
  if (canonical.size() <= kMaxKey) return std::string(canonical);
  uint32_t hash = 2166136261U;
  for (const char c : canonical) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  std::string out(canonical.substr(0, kMaxKey - 9));
  out += '_';
  for (int shift = 28; shift >= 0; shift -= 4) out += "0123456789abcdef"[(hash >> shift) & 0xFU];
  return out;
}

// The last of a repeated tag wins: the client's global tags (DD_VERSION) come before SPIRE's own.
std::string_view TagValue(std::span<const Label> tags, std::string_view name) {
  for (size_t i = tags.size(); i > 0; --i) {
    if (tags[i - 1].name == name) return tags[i - 1].value;
  }
  return {};
}

std::string StatusLabel(std::string_view value) {
  if (value.empty()) return {};
  const auto known = StatusValues();
  const bool found = std::find(known.begin(), known.end(), value) != known.end();
  return std::string(found ? value : std::string_view("other"));
}

// SPIRE's `1_15_3` and `1_8_0_dev_unk` were `1.15.3` and `1.8.0-dev-unk` before it replaced what is
// no word: the separators of the leading numbers are dots, the others dashes. Any other text stays
// as it is.
std::string VersionLabel(std::string_view value) {
  std::string out = Bounded(value, kMaxVersion);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (out.empty() || !is_digit(out.front())) return out;
  int dots = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    if (out[i] != '_') continue;
    const bool numbers = is_digit(out[i - 1]) && i + 1 < out.size() && is_digit(out[i + 1]);
    out[i] = numbers && dots < 2 ? '.' : '-';
    dots = out[i] == '.' ? dots + 1 : 2;
  }
  return out;
}

std::string ModeLabel(std::string_view value) {
  if (value.empty() || value == "bootstrap" || value == "rebootstrap") return std::string(value);
  return "other";
}

bool IsMethod(std::string_view text) {
  return !text.empty() && text.size() <= kMaxMethod &&
         std::all_of(text.begin(), text.end(), IsWordByte);
}

struct Named {
  std::string_view service;
  std::string method;
};

// `agent_v1_agent_attest_agent` -> `agent.v1.agent`, `attest_agent`. A method need not be known:
// SPIRE's code names them, and a new one is best seen under its own name.
std::optional<Named> SplitRpc(std::string_view rest) {
  for (const ServiceName& each : RpcServices()) {
    if (!rest.starts_with(each.key) || rest.size() <= each.key.size() + 1) continue;
    if (rest[each.key.size()] != '_') continue;
    const std::string_view method = rest.substr(each.key.size() + 1);
    if (!IsMethod(method)) return std::nullopt;
    return Named{each.service, std::string(method)};
  }
  return std::nullopt;
}

// FetchX509SVID -> fetch_x509svid, as SPIRE names methods in its keys.
std::string SnakeCase(std::string_view text) {
  const auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  const auto lower = [](char c) { return c >= 'a' && c <= 'z'; };
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool starts_word = i > 0 && i + 1 < text.size() && out.back() != '_' &&
                             (lower(text[i + 1]) || lower(text[i - 1]));
    if (upper(text[i]) && starts_word) out += '_';
    out += upper(text[i]) ? static_cast<char>(text[i] - 'A' + 'a') : text[i];
  }
  return out;
}

// The label `method` of a rejection is a whole gRPC method: `_SpiffeWorkloadAPI_FetchX509SVID`.
std::optional<Named> SplitGrpcMethod(std::string_view value) {
  const std::string canonical = Canonical(value);
  std::string_view rest = canonical;
  if (rest.starts_with('_')) rest.remove_prefix(1);
  for (const ServiceName& each : GrpcServices()) {
    if (!rest.starts_with(each.key) || rest.size() <= each.key.size() + 1) continue;
    if (rest[each.key.size()] != '_') continue;
    const std::string_view method = rest.substr(each.key.size() + 1);
    if (!IsMethod(method)) return std::nullopt;
    return Named{each.service, SnakeCase(method)};
  }
  return std::nullopt;
}

std::span<const std::string_view> ClosedValues(const FamilyDescription& family,
                                               std::string_view label) {
  for (const LabelDescription& each : family.labels) {
    if (each.name == label) return each.values;
  }
  return {};
}

bool Contains(std::span<const std::string_view> values, std::string_view value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

// `node_selectors_set` -> `node_selectors`, `set`: the longest object that leaves a known
// operation.
std::optional<FixedLabel> SplitDatastore(std::string_view rest) {
  const auto operations = ClosedValues(kDatastoreDuration, "operation");
  std::optional<FixedLabel> best;
  for (const std::string_view object : ClosedValues(kDatastoreDuration, "object")) {
    if (!rest.starts_with(object) || rest.size() <= object.size() + 1) continue;
    if (rest[object.size()] != '_') continue;
    const std::string_view operation = rest.substr(object.size() + 1);
    if (!Contains(operations, operation)) continue;
    if (!best || object.size() > best->name.size()) best = FixedLabel{object, operation};
  }
  return best;
}

struct Parsed {
  const Row* row = nullptr;
  std::string_view rest;  // of a group's key
};

bool Fits(Emitted emitted, WireKind kind, bool elapsed) {
  switch (emitted) {
    case Emitted::kCall:
      return kind != WireKind::kGauge && (kind == WireKind::kTimer || !elapsed);
    case Emitted::kLatency:
      return kind == WireKind::kTimer;
    case Emitted::kCounter:
      return kind == WireKind::kCounter && !elapsed;
    case Emitted::kGauge:
    case Emitted::kTotal:
    case Emitted::kHeartbeat:
      return kind == WireKind::kGauge && !elapsed;
    case Emitted::kAmount:
    case Emitted::kSample:
      return kind == WireKind::kTimer && !elapsed;
  }
  return false;
}

bool GroupHolds(const Row& row, std::string_view rest) {
  if (row.group == Group::kRpc) return SplitRpc(rest).has_value();
  return SplitDatastore(rest).has_value();
}

// `key` is canonical and without prefix. `sender` limits the search when the prefix said who it
// was.
Parsed Find(std::string_view key, WireKind kind, std::optional<Sender> sender) {
  const bool elapsed = key.ends_with(kElapsed);
  if (elapsed) key.remove_suffix(kElapsed.size());
  for (const Row& row : MappingTable()) {
    if (sender && row.sender != Sender::kEither && row.sender != *sender) continue;
    if (!Fits(row.emitted, kind, elapsed)) continue;
    if (row.group == Group::kNone) {
      if (key == row.key) return {&row, {}};
    } else if (key.starts_with(row.key) && GroupHolds(row, key.substr(row.key.size()))) {
      return {&row, key.substr(row.key.size())};
    }
  }
  return {};
}

struct Found {
  Parsed parsed;
  std::string_view component;
};

// Tries the custom prefix, then SPIRE's own two.
Found Resolve(std::string_view canonical, WireKind kind, std::string_view prefix,
              std::string_view component_hint) {
  if (!prefix.empty() && canonical.starts_with(prefix) && canonical.size() > prefix.size() + 1 &&
      canonical[prefix.size()] == '_') {
    const Parsed parsed = Find(canonical.substr(prefix.size() + 1), kind, std::nullopt);
    if (parsed.row != nullptr) {
      std::string_view component = Contains(ClosedValues(kUptime, "component"), component_hint)
                                       ? component_hint
                                       : std::string_view("unknown");
      if (parsed.row->sender == Sender::kServer) component = "server";
      if (parsed.row->sender == Sender::kAgent) component = "agent";
      return {parsed, component};
    }
  }
  constexpr std::string_view kServerPrefix = "spire_server_";
  constexpr std::string_view kAgentPrefix = "spire_agent_";
  if (canonical.starts_with(kServerPrefix)) {
    return {Find(canonical.substr(kServerPrefix.size()), kind, Sender::kServer), "server"};
  }
  if (canonical.starts_with(kAgentPrefix)) {
    return {Find(canonical.substr(kAgentPrefix.size()), kind, Sender::kAgent), "agent"};
  }
  return {};
}

Effect EffectOf(Emitted emitted, WireKind kind) {
  switch (emitted) {
    case Emitted::kCall:
      return kind == WireKind::kTimer ? Effect::kObserve : Effect::kCrossCheck;
    case Emitted::kLatency:
    case Emitted::kSample:
      return Effect::kObserve;
    case Emitted::kCounter:
      return Effect::kAdd;
    case Emitted::kGauge:
    case Emitted::kTotal:
      return Effect::kSet;
    case Emitted::kHeartbeat:
      return Effect::kHeartbeat;
    case Emitted::kAmount:
      return Effect::kSum;
  }
  return Effect::kIgnore;
}

std::string_view Fixed(const Row& row, std::string_view label) {
  for (const FixedLabel& each : row.labels) {
    if (each.name == label) return each.value;
  }
  return {};
}

// The value of each label of the family: the key's own, else what the tag says, as its class.
Mapped FromRow(const Row& row, std::string_view rest, std::string_view component, WireKind kind,
               std::span<const Label> tags) {
  Mapped mapped;
  mapped.family = row.family;
  mapped.effect = EffectOf(row.emitted, kind);
  mapped.scale = row.scale;
  // A running total below zero is none, and a counter must not show it.
  mapped.absent_below = row.emitted == Emitted::kTotal ? 0 : row.absent_below;
  std::optional<Named> named;
  if (row.group == Group::kRpc) named = SplitRpc(rest);
  if (row.family == &kRateLimitRejections) named = SplitGrpcMethod(TagValue(tags, "method"));
  const std::optional<FixedLabel> datastore =
      row.group == Group::kDatastore ? SplitDatastore(rest) : std::nullopt;
  for (const LabelDescription& label : row.family->labels) {
    std::string value(Fixed(row, label.name));
    if (!value.empty()) {
      // The key has said it.
    } else if (label.name == "component") {
      value = component;
    } else if (label.name == "status") {
      value = StatusLabel(TagValue(tags, "status"));
    } else if (label.name == "attestor") {
      value = Bounded(TagValue(tags, "attestor"), kMaxAttestor);
    } else if (label.name == "mode") {
      value = ModeLabel(TagValue(tags, "mode"));
    } else if (label.name == "version") {
      value = VersionLabel(TagValue(tags, "version"));
    } else if (label.name == "service" && named) {
      value = named->service;
    } else if (label.name == "method" && named) {
      value = named->method;
    } else if (label.name == "object" && datastore) {
      value = datastore->name;
    } else if (label.name == "operation" && datastore) {
      value = datastore->value;
    }
    if (!value.empty()) mapped.labels.emplace_back(label.name, std::move(value));
  }
  return mapped;
}

Mapped Generic(std::string_view canonical, WireKind kind, std::span<const Label> tags) {
  Mapped mapped;
  mapped.known = false;
  const bool elapsed = canonical.ends_with(kElapsed);
  if (kind == WireKind::kTimer && elapsed) canonical.remove_suffix(kElapsed.size());
  mapped.labels.emplace_back("key", KeyLabel(canonical));
  switch (kind) {
    case WireKind::kCounter:
      mapped.family = &kUnmappedEvents;
      mapped.effect = Effect::kAdd;
      break;
    case WireKind::kGauge:
      mapped.family = &kUnmappedValue;
      mapped.effect = Effect::kSet;
      return mapped;
    case WireKind::kTimer:
      mapped.family = elapsed ? &kUnmappedDuration : &kUnmappedSample;
      mapped.effect = Effect::kObserve;
      if (!elapsed) return mapped;
      mapped.scale = 1e-3;
      break;
  }
  if (std::string status = StatusLabel(TagValue(tags, "status")); !status.empty()) {
    mapped.labels.emplace_back("status", std::move(status));
  }
  return mapped;
}

}  // namespace

Mapped MapSeries(std::string_view key, WireKind kind, std::span<const Label> tags,
                 std::string_view prefix, std::string_view component_hint) {
  const std::string canonical = Canonical(key);
  if (canonical.starts_with("datadog_dogstatsd_client_")) {
    Mapped self;
    self.effect = Effect::kSelf;
    return self;
  }
  const Found found = Resolve(canonical, kind, Canonical(prefix), component_hint);
  if (found.parsed.row == nullptr) return Generic(canonical, kind, tags);
  return FromRow(*found.parsed.row, found.parsed.rest, found.component, kind, tags);
}

}  // namespace spire_exporter::telemetry
