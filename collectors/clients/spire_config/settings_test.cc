#include "collectors/clients/spire_config/settings.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace spire_exporter::spire_config {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

Node Server(std::string_view text) {
  const Result<Node> tree = ParseConfigTree(text, "server.conf", ServerRules());
  EXPECT_TRUE(tree.ok()) << (tree.ok() ? "" : tree.error().ToString());
  return tree.ok() ? *tree : Node();
}

TEST(SettingsTest, ReadsDurationsAsGoWritesThem) {
  const Node tree = Server(
      "server { ca_ttl = \"1h30m\" agent_ttl = \"2d\" default_jwt_svid_ttl = 5\n"
      "default_x509_svid_ttl = \"$TTL\" }");
  SettingsReader reader(tree);
  EXPECT_EQ(reader.Time("server.ca_ttl").value, hours(1) + minutes(30));
  EXPECT_EQ(reader.unknown(), 0U);
  EXPECT_EQ(reader.Time("server.agent_ttl").origin, Origin::kUnknown);
  EXPECT_EQ(reader.Time("server.default_jwt_svid_ttl").origin, Origin::kUnknown);
  EXPECT_EQ(reader.Time("server.default_x509_svid_ttl").origin, Origin::kUnknown);
  EXPECT_EQ(reader.unknown(), 3U);
  EXPECT_EQ(reader.Time("server.missing").origin, Origin::kAbsent);
}

TEST(SettingsTest, TakesTheLastOfSeveralAndEmptyTextForSilence) {
  const Node tree =
      Server("server { trust_domain = \"a\" ca_ttl = \"\" }\nserver { trust_domain = \"b\" }");
  SettingsReader reader(tree);
  EXPECT_EQ(reader.Text("server.trust_domain").value, "b");
  EXPECT_EQ(reader.Time("server.ca_ttl").origin, Origin::kAbsent);
}

TEST(SettingsTest, ReadsSwitchesAndNumbersHoweverTheyAreWritten) {
  const Node tree = Server(
      "server { audit_log_enabled = \"true\" disable_jwt_svids = 0 profiling_enabled = \"maybe\"\n"
      "bind_port = \"8081\" }");
  SettingsReader reader(tree);
  EXPECT_EQ(reader.Bool("server.audit_log_enabled").value, true);
  EXPECT_EQ(reader.Bool("server.disable_jwt_svids").value, false);
  EXPECT_EQ(reader.Bool("server.profiling_enabled").origin, Origin::kUnknown);
  EXPECT_EQ(reader.Number("server.bind_port").value, 8081);
}

TEST(SettingsTest, ListsEachPluginOnce) {
  const Node tree = Server(R"({"plugins": {
    "keymanager": {"memory": {"plugin_data": {}}},
    "NodeAttestor": [{"x509pop": {}}, {"mine": {"plugin_cmd": "/bin/x", "enabled": false}},
                     {"x509pop": {}}]}})");
  SettingsReader reader(tree);
  const std::vector<PluginSetting> expected = {{"KeyManager", "memory", false, true},
                                               {"NodeAttestor", "mine", true, false},
                                               {"NodeAttestor", "x509pop", false, true}};
  EXPECT_EQ(reader.Plugins(), expected);
}

TEST(SettingsTest, TellsListsApartByDigestWhateverTheirOrder) {
  const auto digests = [](std::string_view ids) {
    const Node tree = Server("server { admin_ids = [" + std::string(ids) + "] }");
    return SettingsReader(tree).Digests("server.admin_ids");
  };
  EXPECT_EQ(digests("\"a\", \"b\"").size(), 2U);
  EXPECT_EQ(digests("\"a\", \"b\""), digests("\"b\", \"a\", \"a\""));
  EXPECT_NE(digests("\"a\", \"b\""), digests("\"a\", \"c\""));
  EXPECT_TRUE(digests("").empty());
}

}  // namespace
}  // namespace spire_exporter::spire_config
