#include "tests/fakes/player.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace spire_exporter::fakes {
namespace {

// Spread of the recorded calls: ln(p90 / p10) / 2.56 lies between 0.3 and 0.7 for most keys.
constexpr double kSigma = 0.5;
// Milliseconds that each agent behind a server adds to calls which walk all nodes or entries; a
// million of them made such a pass last seconds.
constexpr double kWalkPerAgent = 0.005;
// Above this rate a fleet acts in batches of this beat.
constexpr double kBatchedFrom = 50;
constexpr Duration kBatchBeat = std::chrono::milliseconds(20);

bool StartsWith(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

bool WalksEverything(std::string_view key) {
  return key == "entry.cache.reload" || key == "datastore.registration_entry.list" ||
         key == "datastore.node.list" || key == "datastore.node.selectors.list";
}

}  // namespace

Player::Player(Emitter* emitter, Schedule* schedule, const Clock& clock, const LoadOptions& options,
               const Mood* mood, uint64_t seed)
    : emitter_(emitter),
      schedule_(schedule),
      clock_(clock),
      options_(options),
      mood_(mood),
      random_(seed) {}

double Player::DrawMilliseconds(const Key& key) {
  double median = key.median_ms;
  if (WalksEverything(key.name)) {
    median += kWalkPerAgent * static_cast<double>(options_.agents);
  }
  return random_.LogNormal(median * mood_->latency_factor, kSigma);
}

void Player::Call(std::string_view key, const Tags& tags) {
  // Seen live: a failed datastore call is `Unknown`, the RPC above it says more; batch RPCs are OK
  // whatever became of their parts.
  std::string_view status = "OK";
  if (mood_->error_share > 0 && random_.Uniform() < mood_->error_share) {
    if (StartsWith(key, "datastore.")) {
      status = "Unknown";
    } else if ((StartsWith(key, "rpc.") || StartsWith(key, "manager.sync.")) &&
               key.find(".batch_") == std::string_view::npos) {
      status = mood_->error_status;
    }
  }
  CallWith(key, status, tags);
}

void Player::CallWith(std::string_view key, std::string_view status, const Tags& tags) {
  if (const Key* found = emitter_->Lookup(key)) {
    emitter_->Call(key, status, DrawMilliseconds(*found), tags);
  }
}

void Player::Play(std::span<const Step> steps) {
  for (const Step& step : steps) {
    const Key* key = emitter_->Lookup(step.key);
    const unsigned release = 1U << static_cast<unsigned>(emitter_->options().release);
    if (key == nullptr || (step.releases & release) == 0) continue;
    if (key->shape == Shape::kCall) {
      Call(step.key);
    } else {
      emitter_->Count(step.key);
    }
  }
}

Duration Player::Hastened(Duration duration) const {
  return std::max(
      Duration(std::llround(static_cast<double>(duration.count()) / options_.accelerate)),
      Duration(std::chrono::milliseconds(1)));
}

void Player::Repeat(Duration interval, std::function<void()> task) {
  const Duration beat = Hastened(interval);
  schedule_->Every(
      Duration(static_cast<int64_t>(random_.Below(static_cast<uint64_t>(beat.count())))), beat,
      std::move(task));
}

void Player::AddFleet(double per_second, double lines, std::function<void()> task) {
  if (per_second > 0) fleets_.push_back({per_second * options_.accelerate, lines, std::move(task)});
}

void Player::StartFleets() {
  double asked = 0;
  for (const Fleet& fleet : fleets_) asked += fleet.per_second * fleet.lines;
  if (asked > options_.fleet_lines) fleet_share_ = options_.fleet_lines / asked;
  for (const Fleet& fleet : fleets_) {
    const double rate = fleet.per_second * fleet_share_;
    if (rate <= kBatchedFrom) {
      const Duration beat(std::llround(1e9 / rate));
      schedule_->Every(
          Duration(static_cast<int64_t>(random_.Below(static_cast<uint64_t>(beat.count())))), beat,
          fleet.task);
      continue;
    }
    schedule_->Every(kBatchBeat, kBatchBeat, [rate, task = fleet.task, owed = 0.0]() mutable {
      for (owed += rate * Seconds(kBatchBeat); owed >= 1; owed -= 1) task();
    });
  }
  fleets_.clear();
}

}  // namespace spire_exporter::fakes
