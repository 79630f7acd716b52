#include "exporter/app/metrics_handler.h"

#include <gtest/gtest.h>

#include <thread>

#include "exporter/app/test_catalog.h"
#include "exporter/expose/gzip.h"

namespace spire_exporter {
namespace {

using namespace std::chrono_literals;

constexpr FamilyDescription kOwn{
    .name = "spire_exporter_own_value", .help = "Our own.", .source = "a test"};

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

  ManualClock clock_;
  NullLogger logger_;
  CollectorSet collectors_{kTestCatalog, ModuleDeps{clock_, logger_, Role::kServer}};
  MetricsHandler handler_{collectors_,
                          {"lamps"},
                          [] {
                            FamilyBuilder families;
                            families.Add(kOwn, {}, 1);
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
