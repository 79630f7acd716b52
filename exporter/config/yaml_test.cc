#include "exporter/config/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace spire_exporter {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

ConfigNode Parse(std::string_view text) {
  Result<ConfigNode> parsed = ParseYaml(text, "c.yaml");
  EXPECT_TRUE(parsed.ok()) << parsed.error().ToString();
  return parsed.ok() ? *parsed : ConfigNode();
}

std::string ErrorOf(std::string_view text) {
  const Result<ConfigNode> parsed = ParseYaml(text, "c.yaml");
  return parsed.ok() ? "no error" : parsed.error().ToString();
}

TEST(ParseYamlTest, ReadsMapsListsScalarsAndTheirPlaces) {
  const ConfigNode root = Parse(
      "role: server   # who\n"
      "telemetry:\n"
      "  stream:\n"
      "    listen: [\"unixgram:///a\", 'udp://b']\n"
      "postgres:\n"
      "  nodes:\n"
      "    - {name: rw, expect: primary}\n"
      "    - name: ro\n"
      "empty:\n"
      "tilde: ~\n");
  EXPECT_EQ(root["role"].text(), "server");
  EXPECT_EQ(root["role"].where(), "c.yaml:1:7");
  EXPECT_EQ(root["role"].path(), "role");
  const ConfigNode listen = root["telemetry"]["stream"]["listen"];
  ASSERT_EQ(listen.items().size(), 2U);
  EXPECT_EQ(listen.path(), "telemetry.stream.listen");
  EXPECT_EQ(listen.items()[1].text(), "udp://b");
  EXPECT_EQ(listen.items()[1].where(), "c.yaml:4:31");
  EXPECT_EQ(listen.items()[1].path(), "telemetry.stream.listen[1]");
  const ConfigNode ro = root["postgres"]["nodes"].items()[1];
  EXPECT_EQ(ro["name"].path(), "postgres.nodes[1].name");
  EXPECT_EQ(ro.entries()[0].where, "c.yaml:8:7");
  EXPECT_EQ(root["empty"].kind(), ConfigNode::Kind::kNull);
  EXPECT_EQ(root["tilde"].kind(), ConfigNode::Kind::kNull);
  EXPECT_EQ(root["missing"].kind(), ConfigNode::Kind::kAbsent);
}

TEST(ParseYamlTest, KeepsTextAsWritten) {
  const ConfigNode root =
      Parse("a: 007\nb: 1e3\nc: \"\"\nd: 'null'\ne: |\n  two\n  lines\nf: TRUE\n");
  EXPECT_EQ(root["a"].text(), "007");
  EXPECT_EQ(root["b"].text(), "1e3");
  EXPECT_EQ(root["c"].kind(), ConfigNode::Kind::kScalar);
  EXPECT_EQ(root["d"].kind(), ConfigNode::Kind::kScalar);
  EXPECT_EQ(root["e"].text(), "two\nlines\n");
  EXPECT_EQ(root["f"].text(), "TRUE");
}

TEST(ParseYamlTest, AnEmptyDocumentIsAnEmptyMap) {
  for (const char* text : {"", "\n\n", "# nothing\n", "---\n", "~\n", "\xEF\xBB\xBF", "{}"}) {
    EXPECT_EQ(Parse(text).kind(), ConfigNode::Kind::kMap) << text;
    EXPECT_TRUE(Parse(text).entries().empty()) << text;
  }
}

TEST(ParseYamlTest, RefusesDuplicateKeys) {
  EXPECT_EQ(ErrorOf("a: 1\nb: {c: 1, c: 2}\n"),
            "c.yaml:2:11: duplicate key \"c\": the first is in line 2");
  EXPECT_EQ(ErrorOf("a: 1\n\"a\": 2\n"), "c.yaml:2:1: duplicate key \"a\": the first is in line 1");
  // The same key in two maps is no duplicate.
  EXPECT_EQ(ErrorOf("a: {c: 1}\nb: {c: 1}\n"), "no error");
}

TEST(ParseYamlTest, RefusesAnchorsAndAliases) {
  const std::string what = "an anchor or alias: expected the value itself";
  EXPECT_THAT(ErrorOf("a: &x 1\n"), HasSubstr(what));
  EXPECT_THAT(ErrorOf("a: &x [1]\nb: *x\n"), HasSubstr(what));
  EXPECT_THAT(ErrorOf("a: &x {b: 1}\n"), HasSubstr(what));
  EXPECT_THAT(ErrorOf("a: &x\n"), HasSubstr(what));
  EXPECT_THAT(ErrorOf("&x a: 1\n"), HasSubstr(what));
  EXPECT_THAT(ErrorOf("a: *unknown\n"), StartsWith("c.yaml:1:4: "));
}

TEST(ParseYamlTest, RefusesTags) {
  EXPECT_EQ(ErrorOf("a: !vault x\n"), "c.yaml:1:4: tag \"!vault\": expected a value without a tag");
  EXPECT_THAT(ErrorOf("a: !!str 5\n"), HasSubstr("tag \"tag:yaml.org,2002:str\""));
  EXPECT_THAT(ErrorOf("a: !!set {b}\n"), HasSubstr("expected a value without a tag"));
  EXPECT_THAT(ErrorOf("a: !x [b]\n"), HasSubstr("expected a value without a tag"));
}

TEST(ParseYamlTest, RefusesASecondDocument) {
  EXPECT_THAT(ErrorOf("a: 1\n---\nb: 2\n"), HasSubstr("a second document: expected one"));
  EXPECT_THAT(ErrorOf("a: 1\n---\n"), HasSubstr("a second document: expected one"));
  EXPECT_EQ(ErrorOf("---\na: 1\n...\n"), "no error");
}

TEST(ParseYamlTest, RefusesKeysThatAreNotStrings) {
  for (const char* key : {"1", "-1.5", "1e3", "true", "No", "null", "~", ".5", "+7"}) {
    EXPECT_THAT(ErrorOf(std::string(key) + ": x\n"), StartsWith("c.yaml:1:1: ")) << key;
  }
  EXPECT_THAT(ErrorOf("? [a]\n: b\n"), HasSubstr("a map or list as a key: expected a string"));
  EXPECT_THAT(ErrorOf("? {a: b}\n: c\n"), HasSubstr("a map or list as a key: expected a string"));
  EXPECT_THAT(ErrorOf(": b\n"), HasSubstr("an empty key: expected a string"));
  EXPECT_EQ(ErrorOf("\"1\": x\n'true': y\n5xx: z\nnan_ratio: 1\n"), "no error");
}

// Found by web_config_fuzz: a message with such a key in it was two lines.
TEST(ParseYamlTest, RefusesKeysWithLineBreaks) {
  for (const char* const text : {"\"a\\nb\": 1\n", "? 'a\n\n  b'\n: 1\n"}) {
    EXPECT_THAT(ErrorOf(text), HasSubstr("a line break or control character in key \"a\\x0ab\""))
        << text;
  }
}

TEST(ParseYamlTest, RefusesARootThatIsNotAMap) {
  EXPECT_EQ(ErrorOf("- a\n"), "c.yaml:1:1: the file is not a map: expected `key: value` lines");
  EXPECT_THAT(ErrorOf("just text\n"), HasSubstr("the file is not a map"));
}

TEST(ParseYamlTest, SaysWhereTheSyntaxBreaks) {
  EXPECT_THAT(ErrorOf("a: 1\nb: [1, 2\n"), StartsWith("c.yaml:3:1: not YAML: "));
  EXPECT_THAT(ErrorOf("a: 1\n  b: 2\n"), StartsWith("c.yaml:2:4: not YAML: "));
  EXPECT_THAT(ErrorOf("a: \"\\q\"\n"), StartsWith("c.yaml:1:"));
  EXPECT_THAT(ErrorOf("a:\n\t- 1\n"), StartsWith("c.yaml:2:"));
}

TEST(ParseYamlTest, RefusesBytesThatAreNotText) {
  EXPECT_EQ(ErrorOf("a: b\nc: \xFF\n"), "c.yaml:2:4: a byte is not UTF-8: expected UTF-8 text");
  // yaml-cpp takes 0x04 for the end: the rest of the file would be lost without a word.
  EXPECT_EQ(ErrorOf("a: b\n\x04\nrole: agent\n"), "c.yaml:2:1: a control character: expected text");
  EXPECT_THAT(ErrorOf(std::string_view("a\0:\0 \0b\0", 8)), StartsWith("c.yaml:1:2: a control"));
  EXPECT_THAT(ErrorOf(std::string_view("\xFF\xFE"
                                       "a\0",
                                       4)),
              StartsWith("c.yaml:1:1: a byte is not UTF-8"));
  EXPECT_THAT(ErrorOf("a: \"x\\0y\"\n"), HasSubstr("an escaped control character: expected text"));
  EXPECT_THAT(ErrorOf("a: \"\\x1b[2J\"\n"), HasSubstr("an escaped control character"));
}

TEST(ParseYamlTest, RefusesWhatIsTooDeep) {
  const auto nested = [](size_t depth) {
    return "a: " + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "\n";
  };
  EXPECT_EQ(ErrorOf(nested(kMaxYamlDepth)), "no error");
  EXPECT_THAT(ErrorOf(nested(kMaxYamlDepth + 1)), HasSubstr("too deep: expected at most 64"));
  EXPECT_THAT(ErrorOf("a: " + std::string(100'000, '[')), HasSubstr("too deep"));
  EXPECT_THAT(ErrorOf(std::string(kMaxYamlBytes, '[')), HasSubstr("too deep"));
}

TEST(ParseYamlTest, RefusesWhatIsTooLarge) {
  EXPECT_EQ(ErrorOf("a: b\n#" + std::string(kMaxYamlBytes - 6, 'x')), "no error");
  EXPECT_EQ(ErrorOf("a: b\n#" + std::string(kMaxYamlBytes - 5, 'x')),
            "c.yaml: the file is too large: expected at most 1MiB");
}

TEST(ParseYamlTest, RefusesTooManyValuesAndTooLongKeys) {
  std::string many = "a: [";
  for (size_t i = 0; i < kMaxYamlNodes; ++i) many += "x,";
  EXPECT_THAT(ErrorOf(many + "]\n"), HasSubstr("too many values: expected at most 65536"));

  EXPECT_EQ(ErrorOf(std::string(kMaxYamlKeyBytes, 'k') + ": 1\n"), "no error");
  EXPECT_THAT(ErrorOf(std::string(kMaxYamlKeyBytes + 1, 'k') + ": 1\n"),
              HasSubstr("a key of 129 bytes: expected at most 128"));

  std::string deep;
  for (int i = 0; i < 20; ++i) deep += "{" + std::string(100, 'k') + ": ";
  EXPECT_THAT(ErrorOf(deep + "1" + std::string(20, '}')),
              HasSubstr("keys nested within each other are too long"));
}

class LoadFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "load_file.XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string Path(const std::string& name) const { return (directory_ / name).string(); }
  std::string Make(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name), std::ios::binary) << text;
    return Path(name);
  }

 private:
  std::filesystem::path directory_;
};

TEST_F(LoadFileTest, ReadsAFileAndNamesItInPlaces) {
  const std::string path = Make("c.yaml", "role: agent\n");
  const Result<ConfigNode> loaded = LoadFile(path);
  ASSERT_TRUE(loaded.ok()) << loaded.error().ToString();
  EXPECT_EQ((*loaded)["role"].where(), path + ":1:7");
}

TEST_F(LoadFileTest, SaysThatAFileIsMissing) {
  const Result<ConfigNode> loaded = LoadFile(Path("none.yaml"));
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().code, Code::kNotFound);
  EXPECT_EQ(loaded.error().ToString(),
            Path("none.yaml") + ": cannot be read: No such file or directory");
}

TEST_F(LoadFileTest, RefusesWhatIsNoRegularFileWithoutWaitingForIt) {
  const std::string fifo = Path("fifo");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_THAT(LoadFile(fifo).error().ToString(), HasSubstr("not a regular file"));
  EXPECT_THAT(LoadFile(Path("")).error().ToString(), HasSubstr("cannot be read: Is a directory"));
}

TEST_F(LoadFileTest, RefusesAFileThatIsTooLarge) {
  const std::string path = Make("large.yaml", std::string(3 * kMaxYamlBytes, '#'));
  EXPECT_THAT(LoadFile(path).error().ToString(), HasSubstr("too large"));
}

}  // namespace
}  // namespace spire_exporter
