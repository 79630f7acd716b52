#include "exporter/collect/collector_set.h"

#include <gtest/gtest.h>

#include <array>

#include "exporter/collect/fake_collector.h"
#include "exporter/collect/self_metrics.h"

namespace spire_exporter {
namespace {

using namespace std::chrono_literals;

// What the fake modules of one test share; the catalogue's factories are plain functions, so it is
// reached through the logger that they are handed.
struct World : Logger {
  bool Enabled(LogLevel) const override { return false; }
  void Write(LogLevel, std::string_view, std::span<const LogField>) override {}
  CallLog calls;
  int modules_made = 0;
  int modules_ended = 0;
};

class FakeLive final : public LiveSource {
 public:
  std::shared_ptr<const Snapshot> Acquire(const Deadline&) override {
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->taken = SystemTime(std::chrono::seconds(1'800'000'000));
    return snapshot;
  }
};

// Has one target per entry of the list `fake.targets`; the text of an entry is target and
// fingerprint at once.
class FakeModule final : public Module {
 public:
  explicit FakeModule(World& world) : world_(world) { ++world_.modules_made; }
  ~FakeModule() override { ++world_.modules_ended; }

  Status Apply(const ConfigNode& config) override {
    targets_.clear();
    const ConfigNode targets = config["fake"]["targets"];
    for (const ConfigNode& item : targets.items()) targets_.push_back(item.text());
    return {};
  }
  std::vector<std::unique_ptr<Collector>> Targets() override {
    std::vector<std::unique_ptr<Collector>> made;
    for (const std::string& text : targets_) {
      made.push_back(std::make_unique<FakeCollector>(
          world_.calls, [](const CollectContext&) -> Result<Reading> { return ReadingOf(1); },
          text.substr(0, text.find('=')), text));
    }
    return made;
  }
  LiveSource* Live() override { return &live_; }
  std::vector<CheckLine> Check(const ConfigNode&, const Deadline&) override {
    return {{"fake", true, "works", ""}};
  }

 private:
  World& world_;
  FakeLive live_;
  std::vector<std::string> targets_;
};

constexpr std::array<const FamilyDescription*, 2> kFakeFamilies = {&kFakeValue, &kFakeKept};
const std::array<CatalogEntry, 1> kCatalog = {
    CatalogEntry{"fake", "a fake", [](Role) { return true; }, kFakeFamilies,
                 [](const ConfigNode& config, Role) {
                   ConfigReader reader(config["fake"]);
                   reader.Take("targets");
                   return reader.Finish();
                 },
                 [](const ModuleDeps& deps) -> std::unique_ptr<Module> {
                   return std::make_unique<FakeModule>(static_cast<World&>(deps.logger));
                 },
                 [](const ConfigNode& config, Role) { return config; }}};

ConfigNode ConfigWith(std::vector<std::string> targets, std::string key = "targets") {
  std::vector<ConfigNode> items;
  for (std::string& target : targets)
    items.push_back(ConfigNode::Scalar("", "", std::move(target)));
  const ConfigNode list = ConfigNode::Sequence("fake.targets", "c.yaml:2:3", std::move(items));
  const ConfigNode fake =
      ConfigNode::Map("fake", "c.yaml:1:1", {{std::move(key), "c.yaml:2:3", list}});
  return ConfigNode::Map("", "c.yaml:1:1", {{"fake", "c.yaml:1:1", fake}});
}

class CollectorSetTest : public ::testing::Test {
 protected:
  void ApplyTargets(std::vector<std::string> targets) {
    const Status status = set_.Apply(ConfigWith(std::move(targets)), kEnabled, {});
    ASSERT_TRUE(status.ok()) << status.error().ToString();
  }
  void WaitReady() {
    const auto give_up = std::chrono::steady_clock::now() + 10s;
    while (!set_.Ready() && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
    ASSERT_TRUE(set_.Ready());
  }
  std::vector<std::string> Targets() {
    std::vector<std::string> targets;
    for (const RunnerState& state : set_.States()) targets.push_back(state.target);
    return targets;
  }

  static constexpr std::array<std::string_view, 1> kEnabled = {"fake"};
  ManualClock clock_;
  World world_;
  CollectorSet set_{kCatalog, ModuleDeps{clock_, world_, Role::kServer}};
};

TEST_F(CollectorSetTest, ReloadRestartsOnlyTheTargetThatChanged) {
  ApplyTargets({"a=1", "b=1"});
  WaitReady();
  EXPECT_EQ(world_.calls.entered(), 2);

  ApplyTargets({"a=1", "b=2"});
  WaitReady();

  EXPECT_EQ(world_.calls.entered(), 3) << "only b was read again";
  EXPECT_EQ(world_.modules_made, 1);
}

TEST_F(CollectorSetTest, ReloadAddsAndTakesAwayTargets) {
  ApplyTargets({"a=1", "b=1"});
  ApplyTargets({"b=1", "c=1"});
  EXPECT_EQ(Targets(), (std::vector<std::string>{"b", "c"}));
}

TEST_F(CollectorSetTest, ABadConfigurationChangesNothing) {
  ApplyTargets({"a=1"});
  const Status status = set_.Apply(ConfigWith({"b=1"}, "targts"), kEnabled, {});
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().ToString(),
            "c.yaml:2:3: fake.targts: unknown key: did you mean \"targets\"?");
  EXPECT_EQ(Targets(), (std::vector<std::string>{"a"}));
}

TEST_F(CollectorSetTest, ACollectorThatIsSwitchedOffEnds) {
  ApplyTargets({"a=1"});
  ASSERT_TRUE(set_.Apply(ConfigWith({"a=1"}), {}, {}).ok());
  EXPECT_TRUE(Targets().empty());
  EXPECT_EQ(world_.modules_ended, 1);
}

TEST_F(CollectorSetTest, GathersReadingsAndLiveSourcesThatPassTheFilter) {
  ApplyTargets({"a=1"});
  WaitReady();
  const Deadline soon = Deadline::After(clock_, 5ms);
  EXPECT_EQ(set_.Gather([](std::string_view) { return true; }, soon).size(), 2u);
  EXPECT_TRUE(set_.Gather([](std::string_view name) { return name != "fake"; }, soon).empty());
}

TEST_F(CollectorSetTest, DescribesItsRunnersAsMetrics) {
  ApplyTargets({"a=1"});
  WaitReady();
  set_.Gather([](std::string_view) { return true; }, Deadline::After(clock_, 5ms));
  clock_.Advance(3s);
  FamilyBuilder families;
  AddCollectorMetrics(set_.States(), set_.LiveAges(), families);
  double success = -1;
  double live_age = -1;
  for (const Family& family : families.Take()) {
    for (const Series& series : family.series) {
      if (family.description->name == "spire_exporter_collector_success") success = series.value;
      if (family.description->name == "spire_exporter_collector_age_seconds" &&
          series.labels->Get("target") == "stream") {
        live_age = series.value;
      }
    }
  }
  EXPECT_EQ(success, 1);
  EXPECT_EQ(live_age, 3);
}

}  // namespace
}  // namespace spire_exporter
