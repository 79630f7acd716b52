#include "exporter/app/metrics_handler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <stdexcept>
#include <thread>
#include <vector>

#include "exporter/app/test_catalog.h"
#include "exporter/expose/gzip.h"

namespace spire_exporter {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr FamilyDescription kOwn{
    .name = "spire_exporter_own_value", .help = "Our own.", .source = "a test"};

constexpr FamilyDescription kCounter{.name = "spire_exporter_own_steps_total",
                                     .type = MetricType::kCounter,
                                     .help = "Steps.",
                                     .source = "a test"};

class MetricsHandlerTest : public ::testing::Test {
 protected:
  void Start(const std::string& color) {
    const ConfigNode lamps =
        ConfigNode::Map("lamps", "", {{"color", "", ConfigNode::Scalar("lamps.color", "", color)}});
    const std::array<std::string_view, 1> enabled = {"lamps"};
    ASSERT_TRUE(
        collectors_.Apply(ConfigNode::Map("", "", {{"lamps", "", lamps}}), enabled, {}).ok());
    const auto give_up = std::chrono::steady_clock::now() + 10s;
    while (!collectors_.Ready() && std::chrono::steady_clock::now() < give_up)
      std::this_thread::yield();
    ASSERT_TRUE(collectors_.Ready());
  }
  HttpResponse Get(HttpFields query, HttpFields headers = {}) {
    return handler_.Handle(
        HttpRequest{"GET", "/metrics", std::move(query), std::move(headers), "127.0.0.1"});
  }

  // Makes the process's own snapshots wait or fail.
  class OwnControl {
   public:
    void Call() {
      mutex_.lock();
      ++calls_;
      changed_.notify_all();
      while (held_) changed_.wait(mutex_);
      const bool fail = std::exchange(fail_, false);
      mutex_.unlock();
      if (fail) throw std::runtime_error("as told");
    }
    void Hold() {
      Set([this] { held_ = true; });
    }
    void Release() {
      Set([this] { held_ = false; });
    }
    void FailNext() {
      Set([this] { fail_ = true; });
    }
    void AwaitHeld(int calls) {
      mutex_.lock();
      while (calls_ < calls) changed_.wait(mutex_);
      mutex_.unlock();
    }
    int calls() {
      const MutexLock lock(mutex_);
      return calls_;
    }

   private:
    template <typename Change>
    void Set(Change change) {
      const MutexLock lock(mutex_);
      change();
      changed_.notify_all();
    }
    Mutex mutex_;
    std::condition_variable_any changed_;
    bool held_ = false;
    bool fail_ = false;
    int calls_ = 0;
  };

  ManualClock clock_;
  NullLogger logger_;
  OwnControl own_;
  bool counts_ = false;
  CollectorSet collectors_{kTestCatalog, ModuleDeps{clock_, logger_, Role::kServer}};
  MetricsHandler handler_{collectors_,
                          {"lamps"},
                          [this] {
                            own_.Call();
                            FamilyBuilder families;
                            families.Add(kOwn, {}, 1);
                            if (counts_) families.Add(kCounter, {}, 5, 1'800'000'000);
                            auto snapshot = std::make_shared<Snapshot>();
                            snapshot->families = families.Take();
                            return std::vector<std::shared_ptr<const Snapshot>>{snapshot};
                          },
                          [](const PageReport&) {},
                          clock_};
};

constexpr std::string_view kOwnText =
    "# HELP spire_exporter_own_value Our own.\n# TYPE spire_exporter_own_value "
    "gauge\nspire_exporter_own_value 1\n";
constexpr std::string_view kLampText =
    "# HELP spire_fake_lamps Lamps by colour.\n# TYPE spire_fake_lamps "
    "gauge\nspire_fake_lamps{color=\"red\"} 2\n";

TEST_F(MetricsHandlerTest, MergesCollectorsAndOwnFamilies) {
  Start("red");
  const HttpResponse response = Get({});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(*response.body, std::string(kOwnText) + std::string(kLampText));
}

TEST_F(MetricsHandlerTest, SelectsByCollectAndExclude) {
  Start("red");
  EXPECT_EQ(*Get({{"collect[]", "lamps"}}).body, kLampText);
  EXPECT_EQ(*Get({{"exclude[]", "lamps"}}).body, kOwnText);
  EXPECT_EQ(Get({{"collect[]", "lamps"}, {"exclude[]", "exporter"}}).status, 400);
}

TEST_F(MetricsHandlerTest, AnUnknownNameIsAnErrorThatQuotesItSafely) {
  Start("red");
  const HttpResponse response = Get({{"collect[]", "<script>\n"}});
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(*response.body, "\"<script>\\x0a\" is no collector: expected one of lamps, exporter\n");
}

// From outside nobody sees that a request waits for another's page, so that one may come too late
// to do so; in some round they share one body.
TEST_F(MetricsHandlerTest, RequestsForThePageThatIsBeingMadeShareIt) {
  Start("red");
  constexpr size_t kScrapers = 5;
  const auto give_up = std::chrono::steady_clock::now() + 20s;
  size_t sharing = 0;
  for (int made = 0; sharing < kScrapers - 1 && std::chrono::steady_clock::now() < give_up;
       made = own_.calls()) {
    own_.Hold();
    std::vector<HttpResponse> answers(kScrapers);
    std::vector<std::thread> scrapers;
    scrapers.emplace_back([&] { answers[0] = Get({}); });
    own_.AwaitHeld(made + 1);
    std::atomic<size_t> asking{0};  // relaxed: says when, and hands nothing over
    for (size_t i = 1; i < kScrapers; ++i) {
      scrapers.emplace_back([&, i] {
        asking.fetch_add(1, std::memory_order_relaxed);
        answers[i] = Get({});
      });
    }
    while (asking.load(std::memory_order_relaxed) < kScrapers - 1) std::this_thread::yield();
    std::this_thread::yield();
    own_.Release();
    for (std::thread& scraper : scrapers) scraper.join();
    sharing = 0;
    for (size_t i = 1; i < kScrapers; ++i) {
      EXPECT_EQ(*answers[i].body, *answers[0].body);
      if (answers[i].body == answers[0].body) ++sharing;
    }
  }
  EXPECT_EQ(sharing, kScrapers - 1);
  // The next one gets a page of its own.
  const int before = own_.calls();
  EXPECT_EQ(*Get({}).body, std::string(kOwnText) + std::string(kLampText));
  EXPECT_EQ(own_.calls(), before + 1);
}

TEST_F(MetricsHandlerTest, AnotherPageDoesNotWaitForTheOneThatIsBeingMade) {
  Start("red");
  own_.Hold();
  HttpResponse held;
  std::thread scraper([&] { held = Get({}); });
  own_.AwaitHeld(1);
  EXPECT_EQ(*Get({{"collect[]", "lamps"}}).body, kLampText);
  own_.Release();
  scraper.join();
  EXPECT_EQ(*held.body, std::string(kOwnText) + std::string(kLampText));
}

TEST_F(MetricsHandlerTest, AFailureIsEverybodysWhoWaitedAndNobodysAfterwards) {
  Start("red");
  own_.FailNext();
  EXPECT_THROW(Get({}), std::runtime_error);
  EXPECT_EQ(Get({}).status, 200);
}

TEST_F(MetricsHandlerTest, WhoSharesAPageWaitsNoLongerThanItsOwnTimeout) {
  Start("red");
  own_.Hold();
  HttpResponse held;
  std::thread scraper([&] { held = Get({}); });
  own_.AwaitHeld(1);
  std::future<HttpResponse> sharing = std::async(std::launch::async, [this] {
    return Get({}, {{"X-Prometheus-Scrape-Timeout-Seconds", "0.01"}});
  });
  EXPECT_EQ(sharing.wait_for(5s), std::future_status::ready);
  own_.Release();
  scraper.join();
  EXPECT_EQ(sharing.get().status, 503);
  EXPECT_EQ(held.status, 200);
}

// Never answers, and notes how long it was waited for.
class SilentLive final : public LiveSource {
 public:
  explicit SilentLive(ManualClock& clock) : clock_(clock) {}
  std::shared_ptr<const Snapshot> Acquire(const Deadline& deadline) override {
    waited_ = deadline.Remaining(clock_);
    clock_.Advance(waited_);
    return nullptr;
  }
  Duration waited() const { return waited_; }

 private:
  ManualClock& clock_;
  Duration waited_{};
};

// The catalogue's factories are plain functions: the source is reached through the logger that they
// are handed.
struct SilentWorld : Logger {
  bool Enabled(LogLevel) const override { return false; }
  void Write(LogLevel, std::string_view, std::span<const LogField>) override {}
  ManualClock clock;
  SilentLive live{clock};
};

class SilentModule final : public Module {
 public:
  explicit SilentModule(SilentWorld& world) : world_(world) {}
  Status Apply(const ConfigNode&) override { return {}; }
  std::vector<std::unique_ptr<Collector>> Targets() override { return {}; }
  LiveSource* Live() override { return &world_.live; }
  std::vector<CheckLine> Check(const ConfigNode&, const Deadline&) override { return {}; }

 private:
  SilentWorld& world_;
};

constexpr std::array<CatalogEntry, 1> kSilentCatalog = {
    CatalogEntry{"silent",
                 "a source that says nothing",
                 [](Role) { return true; },
                 kLampFamilies,
                 [](const ConfigNode&, Role) -> Status { return {}; },
                 [](const ModuleDeps& deps) -> std::unique_ptr<Module> {
                   return std::make_unique<SilentModule>(static_cast<SilentWorld&>(deps.logger));
                 },
                 [](const ConfigNode& config, Role) { return config; },
                 {},
                 {},
                 {},
                 {}}};

TEST(MetricsHandlerLiveTest, ASourceIsWaitedForForATenthOfTheScrapesTimeoutAndFiveMilliseconds) {
  SilentWorld world;
  CollectorSet collectors(kSilentCatalog, ModuleDeps{world.clock, world, Role::kServer});
  const std::array<std::string_view, 1> enabled = {"silent"};
  ASSERT_TRUE(collectors.Apply(ConfigNode::Map("", "", {}), enabled, {}).ok());
  MetricsHandler handler(
      collectors, {"silent"}, [] { return std::vector<std::shared_ptr<const Snapshot>>(); },
      [](const PageReport&) {}, world.clock);
  const std::pair<const char*, Duration> waits[] = {
      {"0.01", 1ms}, {"0.001", 100us}, {"0.049", 4900us}, {"10", 5ms},  {"", 5ms},
      {"soon", 5ms}, {"-1", 5ms},      {"1e999", 5ms},    {"nan", 5ms}, {"1e300", 5ms}};
  for (const auto& [timeout, waited] : waits) {
    const SteadyTime began = world.clock.Steady();
    const HttpResponse response = handler.Handle(HttpRequest{
        "GET", "/metrics", {}, {{"X-Prometheus-Scrape-Timeout-Seconds", timeout}}, "127.0.0.1"});
    EXPECT_EQ(response.status, 200) << timeout;
    EXPECT_NEAR(Seconds(world.live.waited()), Seconds(waited), 1e-8) << timeout;
    EXPECT_EQ(world.clock.Steady() - began, world.live.waited()) << timeout;
  }
}

TEST_F(MetricsHandlerTest, AnswersProtobufWhenAsked) {
  Start("red");
  const HttpResponse response =
      Get({}, {{"Accept",
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
                "encoding=delimited"}});
  EXPECT_EQ(response.content_type,
            "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "
            "encoding=delimited");
  // The first family by its length and its name, which is field 1.
  EXPECT_EQ(response.body->substr(1, 26), "\x0a\x18spire_exporter_own_value");
}

TEST_F(MetricsHandlerTest, HasCreationTimesInOpenMetricsWhenAsked) {
  Start("red");
  counts_ = true;
  const HttpFields open_metrics = {{"Accept", "application/openmetrics-text;version=1.0.0"}};
  constexpr const char* kCreated = "\nspire_exporter_own_steps_created 1800000000";
  EXPECT_THAT(*Get({{"created", "true"}}, open_metrics).body, HasSubstr(kCreated));
  EXPECT_THAT(*Get({{"created", "false"}}, open_metrics).body, Not(HasSubstr("_created")));
  EXPECT_THAT(*Get({}, open_metrics).body, Not(HasSubstr("_created")));
  EXPECT_EQ(*Get({{"created", "true"}}).body, *Get({}).body) << "text has none";
}

TEST_F(MetricsHandlerTest, TakesNoOtherWordForCreationTimes) {
  Start("red");
  const std::vector<HttpFields> bad = {{{"created", "1"}},
                                       {{"created", ""}},
                                       {{"created", "True"}},
                                       {{"created", "true"}, {"created", "false"}}};
  for (const HttpFields& query : bad) {
    const HttpResponse response = Get(query);
    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(*response.body, "created: expected true or false, once\n");
  }
}

// Else one of them would get what it has not asked for.
TEST_F(MetricsHandlerTest, APageWithCreationTimesIsNotSharedWithOneWithout) {
  Start("red");
  counts_ = true;
  const HttpFields open_metrics = {{"Accept", "application/openmetrics-text;version=1.0.0"}};
  own_.Hold();
  HttpResponse without;
  HttpResponse with;
  std::thread first([&] { without = Get({}, open_metrics); });
  own_.AwaitHeld(1);
  std::thread second([&] { with = Get({{"created", "true"}}, open_metrics); });
  own_.AwaitHeld(2);  // it makes a page of its own
  own_.Release();
  first.join();
  second.join();
  EXPECT_THAT(*without.body, Not(HasSubstr("_created")));
  EXPECT_THAT(*with.body, HasSubstr("_created"));
}

TEST_F(MetricsHandlerTest, AnswersOpenMetricsAndGzipWhenAsked) {
  Start("red");
  const HttpResponse response = Get(
      {}, {{"Accept", "application/openmetrics-text;version=1.0.0"}, {"Accept-Encoding", "gzip"}});
  EXPECT_EQ(response.content_type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
  const Result<std::string> body = Gunzip(*response.body, 1 << 20);
  ASSERT_TRUE(body.ok());
  EXPECT_EQ(body->substr(body->size() - 6), "# EOF\n");
}

}  // namespace
}  // namespace spire_exporter
