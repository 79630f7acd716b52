#include <array>
#include <cmath>

#include "tests/fakes/player.h"

namespace spire_exporter::fakes {
namespace {

using std::chrono::seconds;

// A heap that fills and is collected, roughly as those of the recorded processes.
class ProcessLoad final : public Load {
 public:
  explicit ProcessLoad(Player* player) : player_(*player) {}

  void Start() override {
    // SPIRE is some milliseconds old when it starts to tell.
    started_ = player_.schedule().now() - std::chrono::milliseconds(7);
    Uptime();
    Schedule& schedule = player_.schedule();
    schedule.Every(seconds(10), seconds(10), [this] { Uptime(); });
    schedule.Every(seconds(1), seconds(1), [this] { Report(); });
    // A few collections happen while a process starts; their pauses come with the first report.
    for (int i = 0; i < 5; ++i) Collect();
  }

 private:
  void Uptime() {
    const auto since = player_.clock().Steady() - started_;
    player_.emit().SetPrecisely(
        "uptime_in_ms",
        static_cast<double>(std::chrono::duration_cast<std::chrono::milliseconds>(since).count()));
  }

  void Collect() {
    const double pause = std::floor(player_.random().LogNormal(120'000, 0.9));
    pauses_.push_back(pause);
    total_pause_ += pause;
    ++collections_;
    freed_ += objects_ - 60'000;
    objects_ = 60'000;
    heap_ = 14e6;
  }

  void Report() {
    const double allocated = std::floor(player_.random().LogNormal(4'000, 0.5));
    objects_ += allocated;
    heap_ += allocated * 110;
    if (heap_ > 26e6) Collect();
    goroutines_ = 65 + static_cast<double>(player_.random().Below(12));

    Emitter& emit = player_.emit();
    emit.Set("runtime.num_goroutines", goroutines_);
    emit.Set("runtime.alloc_bytes", std::floor(heap_));
    emit.Set("runtime.sys_bytes", 40'212'744);
    emit.Set("runtime.malloc_count", freed_ + objects_);
    emit.Set("runtime.free_count", freed_);
    emit.Set("runtime.heap_objects", objects_);
    emit.Set("runtime.total_gc_pause_ns", total_pause_);
    emit.Set("runtime.total_gc_runs", collections_);
    for (const double pause : pauses_) emit.Sample("runtime.gc_pause_ns", pause);
    pauses_.clear();
  }

  Player& player_;
  SteadyTime started_;
  double goroutines_ = 0;
  double heap_ = 14e6;
  double objects_ = 90'000;
  double freed_ = 10'000;
  double total_pause_ = 0;
  double collections_ = 0;
  std::vector<double> pauses_;
};

}  // namespace

std::unique_ptr<Load> MakeProcessLoad(Player* player) {
  return std::make_unique<ProcessLoad>(player);
}

}  // namespace spire_exporter::fakes
