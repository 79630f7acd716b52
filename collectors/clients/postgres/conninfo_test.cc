#include "collectors/clients/postgres/conninfo.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

namespace spire_exporter::pg {
namespace {

TEST(ConninfoTest, ReadsKeywordsAndUris) {
  const auto keywords = ParseConninfo("host=db.example port=5433 dbname=spire user='a b'");
  ASSERT_TRUE(keywords.ok()) << keywords.error().ToString();
  ASSERT_EQ(keywords->hosts.size(), 1u);
  EXPECT_EQ(keywords->hosts[0].host, "db.example");
  EXPECT_EQ(keywords->hosts[0].port, 5433);
  EXPECT_EQ(keywords->Find("user"), "a b");
  EXPECT_EQ(keywords->Find("sslmode"), "");

  const auto uri = ParseConninfo("postgresql://me:secret@[::1]:5434/spire?sslmode=require");
  ASSERT_TRUE(uri.ok()) << uri.error().ToString();
  EXPECT_EQ(uri->hosts[0].host, "::1");
  EXPECT_EQ(uri->hosts[0].port, 5434);
  EXPECT_EQ(uri->Find("password"), "secret");
  EXPECT_EQ(uri->Find("sslmode"), "require");
}

TEST(ConninfoTest, MakesANodeOfEachHost) {
  const auto info = ParseConninfo(
      "host=a,b,c port=1,2,3 hostaddr=10.0.0.1,10.0.0.2,10.0.0.3 target_session_attrs=read-write");
  ASSERT_TRUE(info.ok()) << info.error().ToString();
  ASSERT_EQ(info->hosts.size(), 3u);
  EXPECT_EQ(info->hosts[2].host, "c");
  EXPECT_EQ(info->hosts[2].hostaddr, "10.0.0.3");
  EXPECT_EQ(info->hosts[2].port, 3);
  EXPECT_EQ(info->Find("target_session_attrs"), "") << "each node is visited for itself";

  const auto one_port = ParseConninfo("host=a,b port=7");
  ASSERT_TRUE(one_port.ok());
  EXPECT_EQ(one_port->hosts[1].port, 7);
}

TEST(ConninfoTest, NamesWhatIsWrongWithoutRepeatingIt) {
  const struct {
    const char* text;
    const char* says;
  } cases[] = {
      {"dbname=spire", "no host"},
      {"host=a,b port=1,2,3", "as many ports"},
      {"host=a,b hostaddr=10.0.0.1", "as many values of hostaddr"},
      {"host=a port=99999", "port"},
      {"host=a service=x", "service"},
      {"host=a passwort=geheim", "not a connection string"},
      {"host=a password='geheim", "not a connection string"},
      {"postgresql://u:geheim@[::1", "not a connection string"},
  };
  for (const auto& one : cases) {
    const auto info = ParseConninfo(one.text);
    ASSERT_FALSE(info.ok()) << one.text;
    EXPECT_NE(info.error().what.find(one.says), std::string::npos) << info.error().what;
    EXPECT_EQ(info.error().what.find("geheim"), std::string::npos) << info.error().what;
  }
}

TEST(ConninfoTest, ErrorsOfAFileNameIt) {
  const auto missing = ReadConninfo("/nonexistent/rw.conninfo");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().where, "/nonexistent/rw.conninfo");

  char path[] = "/tmp/spire-exporter-conninfo.XXXXXX";
  const int fd = mkstemp(path);
  ASSERT_GE(fd, 0);
  close(fd);
  std::ofstream(path) << "host=db.example\n";
  EXPECT_TRUE(ReadConninfo(path).ok());
  std::ofstream(path) << std::string(70'000, 'x');
  const auto big = ReadConninfo(path);
  ASSERT_FALSE(big.ok());
  EXPECT_EQ(big.error().where, path);
  unlink(path);
}

TEST(ConninfoTest, KnowsASocketDirectory) {
  EXPECT_TRUE(IsSocketDirectory("/run/postgresql"));
  EXPECT_TRUE(IsSocketDirectory("@abstract"));
  EXPECT_FALSE(IsSocketDirectory("db"));
  EXPECT_FALSE(IsSocketDirectory(""));
}

}  // namespace
}  // namespace spire_exporter::pg
