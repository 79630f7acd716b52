#include "tests/fakes/emitter.h"

#include <algorithm>
#include <utility>

#include "tests/fakes/numbers.h"

namespace spire_exporter::fakes {
namespace {

// The stream's form of a key: the client's sink takes the (empty) host name out of the parts, and
// an empty part with it.
std::string StreamName(std::string_view key) {
  std::string name;
  for (const char c : key) {
    if (c == '.' && !name.empty() && name.back() == '.') continue;
    name += c == ':' || c == ' ' ? '_' : c;
  }
  return name;
}

}  // namespace

struct Emitter::Instrument {
  Wire wire;
  uint32_t hash;
  std::string head;    // `spire_server.svid.rotate:`
  std::string tail;    // `|c|#status:OK,host:vm`
  std::string status;  // or `-`
  std::string family;  // on the page
  Tags labels;
  MetricsPage::Series* series = nullptr;  // made with the first value: no series before its event
};

Emitter::Emitter(EmitterOptions options, const Clock& clock, std::vector<DogStatsdClient*> clients,
                 MetricsPage* page, std::ostream* truth)
    : options_(std::move(options)),
      clock_(clock),
      clients_(std::move(clients)),
      page_(page),
      truth_(truth) {}

Emitter::~Emitter() = default;

Emitter::Instrument* Emitter::Find(const Key& key, std::string_view ending, Wire wire,
                                   const Tags& tags) {
  std::string id(key.name);
  id += ending;
  id += static_cast<char>('0' + static_cast<int>(wire));
  for (const auto& [name, value] : tags) id.append(1, ',').append(name).append(1, ':') += value;
  std::unique_ptr<Instrument>& slot = instruments_[id];
  if (slot) return slot.get();

  slot = std::make_unique<Instrument>();
  slot->wire = wire;
  slot->status = "-";
  std::string full =
      options_.prefix.empty() ? std::string(ServiceName(options_.role)) : options_.prefix;
  full.append(1, '.').append(key.name).append(ending);
  const std::string stream_name = StreamName(full);
  slot->hash = Fnv1a(stream_name);
  slot->head = stream_name + ':';

  Tags labels = tags;
  if (!options_.trust_domain_tag.empty()) {
    labels.emplace_back("trust_domain", options_.trust_domain_tag);
  }
  if (!options_.host.empty()) labels.emplace_back("host", options_.host);
  std::string rendered = options_.global_tags;
  for (const auto& [name, value] : labels) {
    if (!rendered.empty()) rendered += ',';
    rendered += value.empty() ? name : name + ':' + value;
    if (name == "status") slot->status = value;
  }
  static constexpr std::string_view kMarks[] = {"|c", "|g", "|ms"};
  slot->tail = kMarks[static_cast<size_t>(wire)];
  if (!rendered.empty()) slot->tail += "|#" + rendered;

  slot->family = PageName(full);
  slot->labels = std::move(labels);
  return slot.get();
}

void Emitter::Hand(Instrument* instrument, double value) {
  if (!running_) return;
  const SteadyTime now = clock_.Steady();
  if (instrument->series == nullptr) {
    static constexpr MetricsPage::Type kTypes[] = {
        MetricsPage::Type::kCounter, MetricsPage::Type::kGauge, MetricsPage::Type::kSummary};
    instrument->series = page_->Find(
        instrument->family, kTypes[static_cast<size_t>(instrument->wire)], instrument->labels);
  }
  scratch_ = instrument->head;
  switch (instrument->wire) {
    case Wire::kCounter:
      AppendInteger(static_cast<int64_t>(value), &scratch_);
      instrument->series->Add(value);
      break;
    case Wire::kGauge:
      AppendShortest(value, &scratch_);
      instrument->series->Set(value);
      break;
    case Wire::kTimer:
      AppendSixDecimals(value, &scratch_);
      instrument->series->Observe(value, now);
      break;
  }
  scratch_ += instrument->tail;
  for (DogStatsdClient* client : clients_) client->Hand(instrument->hash, scratch_, now);
  ++values_;
  if (truth_ != nullptr) Record(*instrument, value);
}

void Emitter::Record(const Instrument& instrument, double value) {
  static constexpr std::string_view kMarks[] = {"c", "g", "ms"};
  scratch_.clear();
  AppendSixDecimals(UnixSeconds(clock_.System()), &scratch_);
  scratch_.append(1, '\t').append(kMarks[static_cast<size_t>(instrument.wire)]).append(1, '\t');
  scratch_.append(instrument.head, 0, instrument.head.size() - 1);
  scratch_.append(1, '\t').append(instrument.status).append(1, '\t');
  AppendShortest(value, &scratch_);
  *truth_ << scratch_ << '\n';
}

void Emitter::Count(std::string_view key, double value, const Tags& tags) {
  if (const Key* found = Lookup(key)) {
    Hand(Find(*found, "", Wire::kCounter, tags), ThroughFloat32(value));
  }
}

void Emitter::Set(std::string_view key, double value, const Tags& tags) {
  SetPrecisely(key, ThroughFloat32(value), tags);
}

void Emitter::SetPrecisely(std::string_view key, double value, const Tags& tags) {
  if (const Key* found = Lookup(key)) Hand(Find(*found, "", Wire::kGauge, tags), value);
}

void Emitter::Sample(std::string_view key, double value, const Tags& tags) {
  if (const Key* found = Lookup(key)) {
    Hand(Find(*found, "", Wire::kTimer, tags), ThroughFloat32(value));
  }
}

void Emitter::Call(std::string_view key, std::string_view status, double milliseconds,
                   const Tags& tags) {
  const Key* found = Lookup(key);
  if (found == nullptr) return;
  Tags all = tags;
  all.emplace_back("status", status);
  Call({Find(*found, "", Wire::kCounter, all), Find(*found, ".elapsed_time", Wire::kTimer, all)},
       milliseconds);
}

Emitter::PreparedCall Emitter::Prepare(std::string_view key, std::string_view status) {
  const Key* found = Lookup(key);
  if (found == nullptr) return {nullptr, nullptr};
  const Tags tags = {{"status", std::string(status)}};
  return {Find(*found, "", Wire::kCounter, tags),
          Find(*found, ".elapsed_time", Wire::kTimer, tags)};
}

void Emitter::Call(const PreparedCall& call, double milliseconds) {
  if (call.counter == nullptr) return;
  Hand(call.counter, 1);
  Hand(call.timer, ThroughFloat32(milliseconds));
}

std::string SanitizedLabel(std::string_view value) {
  std::string clean;
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  bool in_run = false;
  for (const char c : value) {
    if (is_word(c)) {
      // `\W+_?`: one underscore that follows a run belongs to it.
      if (!(in_run && c == '_')) clean += c;
      in_run = false;
    } else {
      if (!in_run) clean += '_';
      in_run = true;
    }
  }
  return clean;
}

}  // namespace spire_exporter::fakes
