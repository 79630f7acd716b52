#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "exporter/config/yaml.h"

namespace spire_exporter {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string Rendered(const std::string& text) {
  const Result<ConfigNode> parsed = ParseYaml(text, "c.yaml");
  EXPECT_TRUE(parsed.ok()) << parsed.error().ToString();
  return parsed.ok() ? Render(*parsed) : std::string();
}

TEST(RenderTest, PrintsTheTreeAsBlockYaml) {
  EXPECT_EQ(
      Rendered("role: server\n"
               "telemetry: {stream: {listen: ['unixgram:///a b', x]}, scrape: {interval: 15s}}\n"
               "nodes: [{name: rw, expect: primary}, {name: ro}, [], {}, [[1, 2]]]\n"
               "classes: []\nnone: {}\nempty: \"\"\nnothing:\n'null': 'null'\n\"1\": 2\n"),
      "role: server\n"
      "telemetry:\n"
      "  stream:\n"
      "    listen:\n"
      "      - \"unixgram:///a b\"\n"
      "      - x\n"
      "  scrape:\n"
      "    interval: 15s\n"
      "nodes:\n"
      "  - name: rw\n"
      "    expect: primary\n"
      "  - name: ro\n"
      "  - []\n"
      "  - {}\n"
      "  -\n"
      "    -\n"
      "      - 1\n"
      "      - 2\n"
      "classes: []\n"
      "none: {}\n"
      "empty: \"\"\n"
      "nothing: null\n"
      "\"null\": \"null\"\n"
      "\"1\": 2\n");
  EXPECT_EQ(Rendered(""), "{}\n");
}

TEST(RenderTest, ReadsBackToTheSame) {
  const std::string text =
      "a: \"line\\nfeed \\\"quoted\\\" back\\\\slash \\t tab\"\nb: '- x'\nc: '# no comment'\n"
      "d: 'x: y'\ne: '[1'\nf: \"caf\xC3\xA9 \\u2028 \\ufeff \\x85\"\ng: ' space '\n'k: \"q\"': v\n"
      "h: '~'\ni: '%'\nj: '!x'\nk: '&x'\nl: '---'\nm: '0x1F'\nn: \"\xF0\x9F\x98\x80\"\n";
  const Result<ConfigNode> first = ParseYaml(text, "c.yaml");
  ASSERT_TRUE(first.ok()) << first.error().ToString();
  const Result<ConfigNode> second = ParseYaml(Render(*first), "r.yaml");
  ASSERT_TRUE(second.ok()) << second.error().ToString() << "\n" << Render(*first);
  ASSERT_EQ(first->entries().size(), second->entries().size());
  for (size_t i = 0; i < first->entries().size(); ++i) {
    EXPECT_EQ(first->entries()[i].key, second->entries()[i].key);
    EXPECT_EQ(first->entries()[i].value.kind(), second->entries()[i].value.kind());
    EXPECT_EQ(first->entries()[i].value.text(), second->entries()[i].value.text());
  }
}

TEST(RenderTest, RedactsValuesOfSecretKeys) {
  for (const char* key : {"password", "db_passwd", "client_secret", "authToken", "conninfo",
                          "connection_string", "dsn", "private_key", "API_KEY", "credentials"}) {
    EXPECT_EQ(Rendered(std::string(key) + ": hunter2\n"), std::string(key) + ": \"<redacted>\"\n");
    EXPECT_THAT(Rendered(std::string(key) + ": [hunter2]\n"), Not(HasSubstr("hunter2")));
    EXPECT_THAT(Rendered(std::string(key) + ": {x: hunter2}\n"), Not(HasSubstr("hunter2")));
  }
  // No secret was given, and the reader may want to know that.
  EXPECT_EQ(Rendered("password: \"\"\nsecret:\n"), "password: \"\"\nsecret: null\n");
}

TEST(RenderTest, KeepsReferencesToFiles) {
  EXPECT_EQ(Rendered("conninfo_file: /etc/rw.conninfo\ntoken_path: /t\n"),
            "conninfo_file: /etc/rw.conninfo\ntoken_path: /t\n");
}

TEST(RenderTest, RedactsSecretsInsideOfValues) {
  for (const char* value :
       {"http://user:hunter2@host:99/x", "http://hunter2@host/", "postgres://u:hun@hunter2@h/db",
        "host=a password=hunter2 user=b", "host=a password = 'x hunter2'",
        "dbname=x PASSWORD=hunter2", "http://h/?access_token=hunter2",
        "http://ok/ http://u:hunter2@h/", "postgres://h/db?sslmode=x&password=hunter2"}) {
    const std::string out = Rendered("url: \"" + std::string(value) + "\"\n");
    EXPECT_THAT(out, Not(HasSubstr("hunter2")));
    EXPECT_THAT(out, HasSubstr("<redacted>"));
  }
  EXPECT_EQ(Rendered("url: \"http://user:hunter2@host:99/x\"\n"),
            "url: \"http://<redacted>@host:99/x\"\n");
  EXPECT_EQ(Rendered("url: \"http://127.0.0.1:9988/a@b\"\n"),
            "url: \"http://127.0.0.1:9988/a@b\"\n");
}

}  // namespace
}  // namespace spire_exporter
