#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "collectors/server/server_module.h"
#include "collectors/server/socket_collector.h"
#include "collectors/server/test_api_server.h"
#include "exporter/base/logger.h"

namespace spire_exporter::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string Show(FamilyList families) {
  std::string out;
  for (const Family& family : families) {
    for (const Series& series : family.series) {
      if (family.description->type == MetricType::kStateSet && series.value == 0) continue;
      out += std::string(family.description->name).substr(sizeof "spire_local_server_" - 1) + "{" +
             std::string(series.labels->rendered()) + "} " +
             std::to_string(static_cast<int64_t>(series.value)) + "\n";
    }
  }
  return out;
}

class SocketWireTest : public testing::Test {
 protected:
  SocketWireTest() {
    char pattern[] = "/tmp/spire_server_XXXXXX";
    folder_ = mkdtemp(pattern);
    options_.api_socket = "unix://" + folder_ + "/api.sock";
  }
  ~SocketWireTest() override {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }

  void Start(ApiMood mood) {
    server_ = StartApiServer(folder_ + "/api.sock", mood);
    collector_ = MakeSocketCollector(options_).value();
  }
  std::string Page(Duration timeout = seconds(20)) {
    const SteadyTime began = clock_.Steady();
    auto reading = collector_->Collect({Deadline::After(clock_, timeout), {}, clock_, facts_});
    took_ = clock_.Steady() - began;
    if (!reading.ok()) return reading.error().ToString();
    problem_ = reading->problem;
    return Show(reading->families.Take());
  }
  RealClock clock_;
  FactsBoard facts_;
  std::string folder_;
  ServerOptions options_;
  std::unique_ptr<ApiServer> server_;
  std::unique_ptr<Collector> collector_;
  Status problem_;
  Duration took_{};
};

TEST_F(SocketWireTest, ShowsAuthoritiesAndFederationWithoutNames) {
  Start(ApiMood::kWell);
  const std::string page = Page();
  EXPECT_TRUE(problem_.ok()) << problem_.error().ToString();
  for (const char* line :
       {"socket_state{state=\"ok\"} 1", "serving{} 1",
        "authority_present{slot=\"active\",type=\"x509\"} 1",
        "authority_present{slot=\"old\",type=\"x509\"} 0",
        "authority_present{slot=\"prepared\",type=\"jwt\"} 0",
        "authority_expiry_timestamp_seconds{authority=\"ab12cd34\",slot=\"active\",type=\"x509\"} "
        "1800000000",
        "authority_expiry_timestamp_seconds{authority=\"12345678\",slot=\"prepared\",type=\"x509\"}"
        " 1800000600",
        "federation_relationships{bundle=\"held\",profile=\"https_spiffe\"} 1",
        "federation_relationships{bundle=\"missing\",profile=\"https_web\"} 1",
        "federation_relationships{bundle=\"missing\",profile=\"https_spiffe\"} 0"}) {
    EXPECT_NE(page.find(line), std::string::npos) << line << "\n" << page;
  }
  // SPIRE has no WIT authorities up to 1.15.3, and says so: that is no fault.
  EXPECT_EQ(page.find("wit"), std::string::npos);
  EXPECT_EQ(page.find(".test"), std::string::npos);
  Page();
  EXPECT_EQ(server_->wit_calls(), 1);  // each call is a line in its log
}

TEST_F(SocketWireTest, ShowsWhatIsInMemoryWhileTheDatabaseIsDown) {
  Start(ApiMood::kNoDatabase);
  const std::string page = Page();
  EXPECT_TRUE(problem_.ok());
  EXPECT_NE(page.find("serving{} 0"), std::string::npos) << page;
  EXPECT_NE(page.find("authority_present{slot=\"active\",type=\"x509\"} 1"), std::string::npos);
  EXPECT_EQ(page.find("federation"), std::string::npos);
}

TEST_F(SocketWireTest, EndsAtTheDeadlineAndSaysSo) {
  Start(ApiMood::kDatabaseHangs);
  const std::string page = Page(milliseconds(300));
  EXPECT_NE(page.find("socket_state{state=\"timeout\"} 1"), std::string::npos) << page;
  EXPECT_EQ(page.find("serving"), std::string::npos);
  EXPECT_NE(page.find("authority_present{slot=\"active\",type=\"x509\"} 1"), std::string::npos);
  EXPECT_LT(took_, milliseconds(400));
}

TEST_F(SocketWireTest, TellsNoRightFromNoSocket) {
  collector_ = MakeSocketCollector(options_).value();
  EXPECT_EQ(Page(), "socket_state{state=\"unreachable\"} 1\n");
  Start(ApiMood::kNoRight);
  EXPECT_EQ(Page(), "socket_state{state=\"no_right\"} 1\n");
}

TEST_F(SocketWireTest, WarnsOfThePowerInItsCheck) {
  Start(ApiMood::kWell);
  NullLogger logger;
  const auto module = ServerCatalogEntry().make({clock_, logger, Role::kStandalone});
  const ConfigNode config =
      ConfigNode::Map("", "", {}).With("server.api_socket", "flag", options_.api_socket);
  const auto lines = module->Check(config, Deadline::After(clock_, seconds(20)));
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_TRUE(lines[0].good) << lines[0].detail;
  EXPECT_NE(lines[0].detail.find("full power"), std::string::npos);
}

}  // namespace
}  // namespace spire_exporter::server
