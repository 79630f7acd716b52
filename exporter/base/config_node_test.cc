#include "exporter/base/config_node.h"

#include <gtest/gtest.h>

namespace spire_exporter {
namespace {

using namespace std::chrono_literals;

ConfigNode ScrapeNode(std::vector<std::pair<std::string, std::string>> values) {
  std::vector<ConfigNode::Entry> entries;
  for (size_t i = 0; i < values.size(); ++i) {
    const std::string where = "c.yaml:" + std::to_string(i + 1) + ":3";
    entries.push_back({values[i].first, where,
                       ConfigNode::Scalar("scrape." + values[i].first, where, values[i].second)});
  }
  return ConfigNode::Map("scrape", "c.yaml:1:1", std::move(entries));
}

TEST(ConfigReaderTest, KeepsDefaultsAndReadsWhatIsThere) {
  ConfigReader reader(ScrapeNode({{"url", "http://x/"}, {"interval", "10s"}}));
  std::string url = "default";
  Duration interval = 15s;
  Duration timeout = 5s;
  reader.Read("url", &url);
  reader.Read("interval", &interval, 1s, 1h);
  reader.Read("timeout", &timeout, 1s, 1h);
  ASSERT_TRUE(reader.Finish().ok());
  EXPECT_EQ(url, "http://x/");
  EXPECT_EQ(interval, Duration(10s));
  EXPECT_EQ(timeout, Duration(5s));
}

TEST(ConfigReaderTest, NamesThePlaceAndTheNearestKeyOfATypingError) {
  ConfigReader reader(ScrapeNode({{"url", "http://x/"}, {"intervall", "10s"}}));
  std::string url;
  Duration interval = 15s;
  reader.Read("url", &url);
  reader.Read("interval", &interval, 1s, 1h);
  const Status status = reader.Finish();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().ToString(),
            "c.yaml:2:3: scrape.intervall: unknown key: did you mean \"interval\"?");
}

TEST(ConfigReaderTest, SaysWhatWasExpectedOfAWrongUnit) {
  ConfigReader reader(ScrapeNode({{"interval", "10"}}));
  Duration interval = 15s;
  reader.Read("interval", &interval, 1s, 1h);
  const Status status = reader.Finish();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().ToString(),
            "c.yaml:1:3: scrape.interval: \"10\" is not a duration: expected a number with a unit, "
            "such as "
            "15s or 1m30s");
}

TEST(ConfigNodeTest, OverridesOneScalarDeepInTheTree) {
  const ConfigNode root = ConfigNode::Map("", "", {});
  const ConfigNode changed = root.With("telemetry.scrape.url", "environment X", "http://y/");
  EXPECT_EQ(changed["telemetry"]["scrape"]["url"].text(), "http://y/");
  EXPECT_EQ(changed["telemetry"]["scrape"]["url"].where(), "environment X");
  EXPECT_FALSE(root["telemetry"].present());
  EXPECT_EQ(root["telemetry"]["scrape"].path(), "telemetry.scrape");
}

TEST(ConfigNodeTest, DefaultsFillOnlyWhatIsAbsent) {
  const ConfigNode root = ConfigNode::Map("", "", {}).With("a.b", "flag --x", "set");
  const ConfigNode filled = root.WithDefault("a.b", std::string("default"))
                                .WithDefault("a.c", std::string("filled"))
                                .WithDefault("a.d", std::vector<std::string>{"x", "y"});
  EXPECT_EQ(filled["a"]["b"].text(), "set");
  EXPECT_EQ(filled["a"]["c"].text(), "filled");
  ASSERT_EQ(filled["a"]["d"].items().size(), 2u);
  EXPECT_EQ(filled["a"]["d"].items()[1].text(), "y");
}

}  // namespace
}  // namespace spire_exporter
