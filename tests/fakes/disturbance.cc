#include "tests/fakes/disturbance.h"

#include <algorithm>
#include <string>
#include <utility>

namespace spire_exporter::fakes {
namespace {

constexpr size_t kFactors = 4096;
constexpr auto kMostLate = std::chrono::milliseconds(100);

// The bytes that a careless or hostile neighbour sends to the port, by turns.
std::string Garbage(Random& random) {
  switch (random.Below(8)) {
    case 0: {  // binary
      std::string bytes(1 + random.Below(1400), '\0');
      for (char& byte : bytes) byte = static_cast<char>(random.Below(256));
      return bytes;
    }
    case 1:  // no value, no type, no name
      return "spire_server.svid.rotate\n:1|c\n|c\nspire_server.svid.rotate:|c\n";
    case 2:  // numbers that are none
      return "spire_server.svid.rotate:nan|c\nspire_server.svid.rotate:-5|c\n"
             "spire_server.svid.rotate:1e999|ms\nspire_server.svid.rotate:0x1p3|g\n";
    case 3:  // types that nobody knows
      return "spire_server.svid.rotate:1|q\nspire_server.svid.rotate:1|\n"
             "spire_server.svid.rotate:1|c|@0.0001|#status:OK|T1700000000|c:abc\n";
    case 4:  // events and service checks
      return "_e{5,4}:title|text|#a:b\n_sc|spire|0|m:well\n";
    case 5:  // tags without values, repeated and reserved ones
      return "spire_server.svid.rotate:1|c|#,,:,le:1,quantile:2,__name__:x,le:3,status\n";
    case 6:  // a line longer than any client makes
      return "spire_server." + std::string(40'000, 'a') + ":1|c\n";
    default:  // no UTF-8
      return "spire_server.\xff\xfe.rotate:1|c|#status:\xc3\x28,host:vm\n";
  }
}

}  // namespace

Disturbance::Disturbance(Emitter* emitter, std::vector<DogStatsdClient*> clients, uint64_t seed)
    : emitter_(emitter), clients_(std::move(clients)), random_(seed) {
  factors_.reserve(kFactors);
  for (size_t i = 0; i < kFactors; ++i) factors_.push_back(random_.LogNormal(1, 0.5));
}

void Disturbance::Run(SteadyTime now) {
  if (!active() || last_ == SteadyTime{}) {
    last_ = now;
    return;
  }
  const double passed = Seconds(std::min<Duration>(now - last_, kMostLate));
  last_ = now;
  // A flood comes as pairs of a counter and a timer.
  for (owed_flood_ += rates_.flood * passed / 2; owed_flood_ >= 1; owed_flood_ -= 1) FloodOnce();
  for (owed_garbage_ += rates_.garbage * passed; owed_garbage_ >= 1; owed_garbage_ -= 1) {
    GarbageOnce();
  }
  for (owed_tags_ += rates_.tags * passed; owed_tags_ >= 1; owed_tags_ -= 1) TagOnce(now);
}

void Disturbance::FloodOnce() {
  if (calls_.empty()) {
    const EmitterOptions& options = emitter_->options();
    const std::string_view part = options.role == Role::kServer ? "v1" : "workload_api";
    for (const Key& key : KeysOf(options.role)) {
      if (key.shape != Shape::kCall || emitter_->Lookup(key.name) == nullptr) continue;
      if (key.name.substr(0, 4) != "rpc." || key.name.find(part) == std::string_view::npos)
        continue;
      calls_.push_back({emitter_->Prepare(key.name, "OK"), key.median_ms});
    }
  }
  const uint64_t draw = random_.Next();
  const Call& call = calls_[draw % calls_.size()];
  emitter_->Call(call.call, call.median * factors_[(draw >> 32U) % kFactors]);
}

void Disturbance::GarbageOnce() {
  for (DogStatsdClient* client : clients_) client->SendRaw(Garbage(random_));
}

void Disturbance::TagOnce(SteadyTime now) {
  // Past the page: a neighbour's lines never were SPIRE's.
  std::string line("spire_server.rpc.entry.v1.entry.list_entries");
  const uint32_t hash = Fnv1a(line);
  line += ":1|c|#status:x";
  AppendInteger(static_cast<int64_t>(random_.Next() >> 1U), &line);
  for (DogStatsdClient* client : clients_) client->Hand(hash, line, now);
}

}  // namespace spire_exporter::fakes
