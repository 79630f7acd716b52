#include "exporter/http/listen_address.h"

#include <gtest/gtest.h>

#include <string>

namespace spire_exporter {
namespace {

struct GoodCase {
  std::string text;
  ListenAddress::Kind kind;
  std::string host;
  uint16_t port;
  std::string path;
};

TEST(ListenAddressTest, EveryFormIsReadAndWrittenBack) {
  const auto kTcp = ListenAddress::Kind::kTcp;
  const auto kUnix = ListenAddress::Kind::kUnix;
  const GoodCase cases[] = {
      {":9926", kTcp, "", 9926, ""},
      {"127.0.0.1:0", kTcp, "127.0.0.1", 0, ""},
      {"localhost:65535", kTcp, "localhost", 65535, ""},
      {"[::1]:80", kTcp, "::1", 80, ""},
      {"[fe80::1%eth0]:80", kTcp, "fe80::1%eth0", 80, ""},
      {"unix:/run/spire exporter/web.sock", kUnix, "", 0, "/run/spire exporter/web.sock"},
  };
  for (const GoodCase& expected : cases) {
    const Result<ListenAddress> address = ParseListenAddress(expected.text);
    ASSERT_TRUE(address.ok()) << address.error().ToString();
    EXPECT_EQ(address->kind, expected.kind) << expected.text;
    EXPECT_EQ(address->host, expected.host);
    EXPECT_EQ(address->port, expected.port);
    EXPECT_EQ(address->path, expected.path);
    EXPECT_EQ(address->ToString(), expected.text);
  }
}

TEST(ListenAddressTest, EachMistakeIsNamed) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "the port is missing"},
      {"9926", "the port is missing"},
      {"localhost", "the port is missing"},
      {":", "not a number"},
      {":65536", "not a number"},
      {":-1", "not a number"},
      {":80x", "not a number"},
      {":+80", "not a number"},
      {"::1:80", "needs brackets"},
      {"[::1:80", "not closed"},
      {"[::1]x:80", "not closed"},
      {"[zz]:80", "no IPv6 address"},
      {"[127.0.0.1]:80", "no IPv6 address"},
      {"ho st:80", "not a name"},
      {"http://host:80", "needs brackets"},
      {"unix:", "path is missing"},
      {"unix:relative.sock", "not absolute"},
      {"unix:/" + std::string(120, 'a'), "longer than 107"},
      {std::string("unix:/a\0b", 9), "zero byte"},
  };
  for (const auto& [text, why] : cases) {
    const Result<ListenAddress> address = ParseListenAddress(text);
    ASSERT_FALSE(address.ok()) << text;
    EXPECT_EQ(address.error().code, Code::kInvalidArgument);
    EXPECT_NE(address.error().what.find(why), std::string::npos) << address.error().what;
  }
}

}  // namespace
}  // namespace spire_exporter
