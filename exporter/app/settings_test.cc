#include "exporter/app/settings.h"

#include <gtest/gtest.h>

#include <fstream>

#include "exporter/app/test_catalog.h"

namespace spire_exporter {
namespace {

class SettingsTest : public ::testing::Test {
 protected:
  // Writes a configuration file and names it on the command line.
  void File(const std::string& text) {
    line_.config_file = ::testing::TempDir() + "settings_test_" +
                        ::testing::UnitTest::GetInstance()->current_test_info()->name() + ".yaml";
    std::ofstream(line_.config_file) << text;
  }
  Result<Settings> Load() { return LoadSettings(line_, environment_, kTestCatalog); }
  std::string ErrorOfLoad() {
    const Result<Settings> settings = Load();
    if (settings.ok()) return "none";
    std::string text = settings.error().ToString();
    if (const size_t at = text.find(line_.config_file); at == 0)
      text.replace(0, line_.config_file.size(), "FILE");
    return text;
  }

  CommandLine line_;
  std::vector<std::string> environment_;
};

TEST_F(SettingsTest, HasTheDefaultsOfTheRoleWithoutAFile) {
  line_.role = Role::kAgent;
  const Result<Settings> settings = Load();
  ASSERT_TRUE(settings.ok());
  EXPECT_EQ(settings->role, Role::kAgent);
  EXPECT_EQ(settings->listen_addresses, (std::vector<std::string>{":9926"}));
  EXPECT_EQ(settings->limits.series_max, 20'000u);
  EXPECT_EQ(settings->enabled, (std::vector<std::string_view>{"lamps"}));
  EXPECT_EQ(settings->config["lamps"]["color"].text(), "white");
  EXPECT_EQ(settings->profile, Detail::kStandard);
  EXPECT_EQ(settings->config["profile"].text(), "standard");
  line_.role = Role::kStandalone;
  EXPECT_EQ(Load()->profile, Detail::kFull);
  environment_ = {"SPIRE_EXPORTER_PROFILE=minimal"};
  EXPECT_EQ(Load()->profile, Detail::kMinimal);
}

TEST_F(SettingsTest, TheFlagBeatsTheEnvironmentWhichBeatsTheFile) {
  File("role: server\ntrust_domain: file.test\nlamps: {color: red}\n");
  environment_ = {"SPIRE_EXPORTER_ROLE=standalone", "SPIRE_EXPORTER_LAMPS__COLOR=green",
                  "PATH=/bin"};
  line_.role = Role::kAgent;
  const Result<Settings> settings = Load();
  ASSERT_TRUE(settings.ok()) << settings.error().ToString();
  EXPECT_EQ(settings->role, Role::kAgent);
  EXPECT_EQ(settings->trust_domain, "file.test");
  EXPECT_EQ(settings->config["lamps"]["color"].text(), "green");
}

TEST_F(SettingsTest, ErrorsNameThePlaceAndTheNearestKey) {
  File("role: server\nlamp: {}\n");
  EXPECT_EQ(ErrorOfLoad(), "FILE:2:1: lamp: unknown key: did you mean \"lamps\"?");
  File("limits:\n  max_seris: 5\n");
  EXPECT_EQ(ErrorOfLoad(), "FILE:2:3: limits.max_seris: unknown key: did you mean \"max_series\"?");
  File("profile: tiny\n");
  EXPECT_EQ(ErrorOfLoad(),
            "FILE:1:10: profile: \"tiny\" is wrong: expected one of minimal, standard, full");
  File("role: boss\n");
  EXPECT_EQ(ErrorOfLoad(),
            "FILE:1:7: role: \"boss\" is wrong: expected one of server, agent, standalone");
}

TEST_F(SettingsTest, ValidatesCollectorsThatAreSwitchedOff) {
  File("lamps: {colour: red}\n");
  line_.collectors["lamps"] = false;
  EXPECT_EQ(ErrorOfLoad(), "FILE:1:9: lamps.colour: unknown key: did you mean \"color\"?");
}

TEST_F(SettingsTest, AFlagSwitchesACollectorOff) {
  line_.collectors["lamps"] = false;
  EXPECT_TRUE(Load()->enabled.empty());
}

TEST_F(SettingsTest, AMissingFileIsAnError) {
  line_.config_file = "/nonexistent/spire.yaml";
  EXPECT_NE(ErrorOfLoad().find("FILE"), std::string::npos);
}

}  // namespace
}  // namespace spire_exporter
