#include "collectors/clients/spire_config/config_tree.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

namespace spire_exporter::spire_config {
namespace {

constexpr KeepRule kRules[] = {
    {"server.trust_domain"},
    {"server.bind_port"},
    {"server.audit_log_enabled"},
    {"server.names"},
    {"server.join_token", Keep::kPresence},
    {"server.admin_ids", Keep::kDigest},
    {"server.federation.federates_with.*", Keep::kDigest},
    {"plugins.*.*", Keep::kBlock},
    {"plugins.*.*.plugin_cmd", Keep::kPresence},
    {"plugins.DataStore.sql.plugin_data.database_type"},
};

Result<Node> Parse(std::string_view text) {
  return ParseConfigTree(text, "f.conf", kRules);
}

const Node* One(const Node& root, std::string_view path) {
  const std::vector<const Node*> found = FindAll(root, path);
  return found.size() == 1 ? found[0] : nullptr;
}

std::string Text(const Result<Node>& tree, std::string_view path) {
  if (!tree.ok()) return tree.error().ToString();
  const Node* node = One(*tree, path);
  return node == nullptr ? "not one" : node->text;
}

// Everything that a tree holds.
std::string Dump(const Node& node) {
  std::string out = node.key + "=" + node.text + ";";
  for (const Node& child : node.children) out += Dump(child);
  return out;
}

TEST(ConfigTreeTest, ReadsBlocksLabelsListsAndPlaces) {
  const Result<Node> tree = Parse(
      "# a comment\n"
      "server { // another\n"
      "  trust_domain = \"example.org\"\n"
      "  bind_port = 8081 /* a third */\n"
      "  audit_log_enabled = true\n"
      "  names = [\"a\", \"b\",]\n"
      "}\n"
      "plugins {\n"
      "  DataStore \"sql\" {\n"
      "    plugin_data { database_type = \"postgres\" }\n"
      "  }\n"
      "}\n");
  EXPECT_EQ(Text(tree, "server.trust_domain"), "example.org");
  EXPECT_EQ(Text(tree, "server.bind_port"), "8081");
  EXPECT_EQ(Text(tree, "server.audit_log_enabled"), "true");
  EXPECT_EQ(Text(tree, "plugins.DataStore.sql.plugin_data.database_type"), "postgres");
  const Node* names = One(*tree, "server.names");
  ASSERT_NE(names, nullptr);
  ASSERT_EQ(names->children.size(), 2U);
  EXPECT_EQ(names->children[1].text, "b");
  EXPECT_EQ(names->line, 6U);
  EXPECT_EQ(names->column, 3U);
}

TEST(ConfigTreeTest, ReadsTheSameFromJson) {
  const Result<Node> tree = Parse(R"( {"server": {"trust_domain": "ex\u0061mple.org",
    "bind_port": "8081", "audit_log_enabled": true, "names": [], "unknown": null},
    "plugins": {"DataStore": [{"sql": {"plugin_data": {"database_type": "postgres"}}}],
                "KeyManager": {"disk": {"plugin_data": {}}}}})");
  EXPECT_EQ(Text(tree, "server.trust_domain"), "example.org");
  EXPECT_EQ(Text(tree, "server.bind_port"), "8081");
  EXPECT_EQ(Text(tree, "plugins.DataStore.sql.plugin_data.database_type"), "postgres");
  EXPECT_NE(One(*tree, "plugins.KeyManager.disk"), nullptr);
  EXPECT_TRUE(One(*tree, "server.names")->empty);
}

TEST(ConfigTreeTest, DropsEverySecretWhileParsing) {
  const std::string secret = "hunter2";
  const Result<Node> tree = Parse(
      "server { join_token = \"hunter2\" password = \"hunter2\" trust_domain = \"example.org\"\n"
      "  admin_ids = [\"spiffe://example.org/hunter2\", \"spiffe://example.org/b\"]\n"
      "  federation { federates_with \"hunter2.test\" { bundle_endpoint_url = \"hunter2\" } }\n"
      "  bind_port = { hunter2 = \"hunter2\" } names = [ { hunter2 = 1 } ]\n"
      "}\n"
      "hunter2 { a = \"hunter2\" }\n"
      "plugins {\n"
      "  DataStore \"sql\" { plugin_cmd = \"hunter2\" plugin_data {\n"
      "    database_type = \"postgres\" connection_string = <<EOF\npassword=hunter2\nEOF\n"
      "    nested { database_type = \"hunter2\" } list = [\"hunter2\", [\"hunter2\"]]\n"
      "  } }\n"
      "  DataStore { connection_string = \"hunter2\" }\n"
      "  KeyManager \"vault\" { plugin_data { token = \"hunter2\" database_type = \"hunter2\" } }\n"
      "}\n");
  ASSERT_TRUE(tree.ok()) << tree.error().ToString();
  EXPECT_EQ(Dump(*tree).find(secret), std::string::npos) << Dump(*tree);
  // And what may be known is.
  EXPECT_EQ(Text(tree, "plugins.DataStore.sql.plugin_data.database_type"), "postgres");
  const Node* token = One(*tree, "server.join_token");
  ASSERT_NE(token, nullptr);
  EXPECT_EQ(token->kind, Node::Kind::kDropped);
  EXPECT_FALSE(token->empty);
  EXPECT_EQ(token->digest, 0U);
  const Node* admins = One(*tree, "server.admin_ids");
  ASSERT_NE(admins, nullptr);
  ASSERT_EQ(admins->children.size(), 2U);
  EXPECT_NE(admins->children[0].digest, admins->children[1].digest);
  EXPECT_EQ(One(*tree, "server.federation.federates_with")->children.size(), 1U);
}

TEST(ConfigTreeTest, NeverQuotesTheTextInAnError) {
  for (const std::string_view text :
       {"server { a = hunter2 }", "a = \"hunter2",
        "a = \"hunter2\\q\"\nserver { trust_domain = "
        "\"hunter2\\q\" }",
        "hunter2 hunter2", "a = <<hunter2\n", "{\"hunter2\" 1}", "a = hunter2"}) {
    const Result<Node> tree = Parse(text);
    ASSERT_FALSE(tree.ok()) << text;
    EXPECT_EQ(tree.error().ToString().find("hunter2"), std::string::npos);
    EXPECT_EQ(tree.error().where.rfind("f.conf:", 0), 0U) << tree.error().where;
  }
}

TEST(ConfigTreeTest, TakesADollarForWhatItCannotKnow) {
  const Result<Node> tree = Parse(
      "server { trust_domain = \"${TD}\" bind_port = $PORT audit_log_enabled = ${AUDIT}\n"
      "names = [\"a$B\"] }");
  ASSERT_TRUE(tree.ok()) << tree.error().ToString();
  for (const char* path : {"server.trust_domain", "server.bind_port", "server.audit_log_enabled"}) {
    const Node* node = One(*tree, path);
    ASSERT_NE(node, nullptr) << path;
    EXPECT_EQ(node->kind, Node::Kind::kEnvironment);
    EXPECT_EQ(node->text, "");
  }
  EXPECT_EQ(One(*tree, "server.names")->children[0].kind, Node::Kind::kEnvironment);
}

TEST(ConfigTreeTest, DecodesStringsAndHeredocs) {
  EXPECT_EQ(Text(Parse(R"(server { trust_domain = "a\"b\\\t\x41\101é\U0001F600" })"),
                 "server.trust_domain"),
            "a\"b\\\tAA\xC3\xA9\xF0\x9F\x98\x80");
  EXPECT_EQ(
      Text(Parse("{\"server\": {\"trust_domain\": \"\\ud83d\\ude00\"}}"), "server.trust_domain"),
      "\xF0\x9F\x98\x80");
  EXPECT_EQ(Text(Parse("server {\n trust_domain = <<-EOT\n  a\n  EOT\n bind_port = 1\n}"),
                 "server.trust_domain"),
            "  a\n");
}

TEST(ConfigTreeTest, FindsKeysWithoutCaseAndThroughRepeatedBlocks) {
  const Result<Node> tree =
      Parse("Server { Trust_Domain = \"a\" }\nserver = { trust_domain = \"b\" }");
  ASSERT_TRUE(tree.ok());
  const std::vector<const Node*> found = FindAll(*tree, "server.trust_domain");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0]->text, "a");
  EXPECT_EQ(found[1]->text, "b");
}

TEST(ConfigTreeTest, RefusesWhatDoesNotNestOrEnd) {
  for (const std::string_view text : {"server {",
                                      "server }",
                                      "server { a = [1, }",
                                      "a b = 1",
                                      "= 1",
                                      "a = ",
                                      "a",
                                      "a = [1 2]",
                                      "a = 1,,",
                                      "/* ",
                                      "a = \"x\ny\"",
                                      "a = <<EOF\nx\n",
                                      "a = <<EOF\nx\nEOF",
                                      "a = ${X",
                                      "{\"a\": 1 \"b\": 2}",
                                      "{\"a\": 1,}",
                                      "{\"a\": [1,]}",
                                      "{\"a\": 1} x",
                                      "{\"a\" {}}",
                                      "{// x\n}",
                                      "{a = 1}",
                                      "@",
                                      "a = maybe"}) {
    EXPECT_FALSE(Parse(text).ok()) << text;
  }
}

TEST(ConfigTreeTest, NamesThePlaceOfWhatIsWrong) {
  const Result<Node> tree = Parse("server {\n  a = @\n}");
  ASSERT_FALSE(tree.ok());
  EXPECT_EQ(tree.error().where, "f.conf:2:7");
}

TEST(ConfigTreeTest, BoundsDepthSizeAndNumber) {
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += "a {";
  EXPECT_EQ(Parse(deep).error().code, Code::kResourceExhausted);
  std::string lists = "a = ";
  lists.append(100000, '[');
  EXPECT_EQ(Parse(lists).error().code, Code::kResourceExhausted);
  std::string labels;
  for (int i = 0; i < 100000; ++i) labels += "a ";
  EXPECT_EQ(Parse(labels).error().code, Code::kResourceExhausted);
  EXPECT_EQ(Parse(std::string(kMaxConfigBytes + 1, '\n')).error().code, Code::kResourceExhausted);
  EXPECT_TRUE(Parse(std::string(kMaxConfigBytes, '\n')).ok());
  std::string many = "server { names = [";
  for (int i = 0; i < 10000; ++i) many += "1,";
  EXPECT_EQ(Parse(many + "] }").error().code, Code::kResourceExhausted);
  // What is not kept does not count.
  std::string other = "server { other = [";
  for (int i = 0; i < 10000; ++i) other += "1,";
  EXPECT_TRUE(Parse(other + "] }").ok());
}

class ConfigFileTest : public testing::Test {
 protected:
  ConfigFileTest() {
    std::string folder = testing::TempDir() + "spire_config_XXXXXX";
    folder_ = mkdtemp(folder.data());
    path_ = folder_ + "/server.conf";
  }
  ~ConfigFileTest() override {
    unlink(path_.c_str());
    rmdir(path_.c_str());
    rmdir(folder_.c_str());
  }
  Code Read() const {
    const Result<Node> tree = ReadConfigTree(path_, kRules);
    return tree.ok() ? Code::kOk : tree.error().code;
  }

  std::string folder_, path_;
};

TEST_F(ConfigFileTest, ReadsAFileAndNamesItInErrors) {
  std::ofstream(path_) << "server { trust_domain = \"example.org\" }";
  EXPECT_EQ(Text(ReadConfigTree(path_, kRules), "server.trust_domain"), "example.org");
  std::ofstream(path_) << "server {";
  EXPECT_EQ(ReadConfigTree(path_, kRules).error().where, path_ + ":1:9");
}

TEST_F(ConfigFileTest, TellsWhatKeepsItFromReading) {
  EXPECT_EQ(Read(), Code::kNotFound);
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(Read(), Code::kFailedPrecondition);
  unlink(path_.c_str());
  ASSERT_EQ(mkdir(path_.c_str(), 0700), 0);
  EXPECT_EQ(Read(), Code::kFailedPrecondition);
  rmdir(path_.c_str());
  std::ofstream(path_) << std::string(kMaxConfigBytes + 1, '\n');
  EXPECT_EQ(Read(), Code::kResourceExhausted);
}

}  // namespace
}  // namespace spire_exporter::spire_config
