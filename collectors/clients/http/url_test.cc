#include "collectors/clients/http/url.h"

#include <gtest/gtest.h>

namespace spire_exporter {
namespace {

Url Parsed(std::string_view text) {
  const auto url = ParseUrl(text);
  EXPECT_TRUE(url.ok()) << text << ": " << url.error().what;
  return url.ok() ? *url : Url{};
}

TEST(UrlTest, ReadsItsParts) {
  const Url url = Parsed("http://127.0.0.1:9988/metrics?x=1");
  EXPECT_FALSE(url.tls);
  EXPECT_EQ(url.host, "127.0.0.1");
  EXPECT_EQ(url.port, 9988);
  EXPECT_EQ(url.target, "/metrics?x=1");
  EXPECT_EQ(url.Authority(), "127.0.0.1:9988");
}

TEST(UrlTest, KnowsTheDefaults) {
  const Url plain = Parsed("http://spire");
  EXPECT_EQ(plain.port, 80);
  EXPECT_EQ(plain.target, "/");
  EXPECT_EQ(plain.Authority(), "spire");
  const Url tls = Parsed("https://spire?a");
  EXPECT_TRUE(tls.tls);
  EXPECT_EQ(tls.port, 443);
  EXPECT_EQ(tls.target, "/?a");
}

TEST(UrlTest, ReadsIpv6InBrackets) {
  const Url url = Parsed("http://[::1]:9988");
  EXPECT_TRUE(url.ipv6);
  EXPECT_EQ(url.host, "::1");
  EXPECT_EQ(url.Authority(), "[::1]:9988");
}

TEST(UrlTest, RefusesTheRest) {
  for (const char* text :
       {"", "spire:9988", "ftp://a/", "http://", "http:///x", "http://a:0/", "http://a:65536/",
        "http://a:/", "http://a:9x/", "http://[::1", "http://[zz]/", "http://[::1]9/",
        "http://a b/", "http://a/ b", "http://a/\r\nX: y", "http://a/#f", "http://u:p@a/"}) {
    const auto url = ParseUrl(text);
    ASSERT_FALSE(url.ok()) << text;
    EXPECT_EQ(url.error().code, Code::kInvalidArgument);
  }
}

TEST(UrlTest, DoesNotRepeatAPassword) {
  const auto url = ParseUrl("http://user:secret@host/");
  ASSERT_FALSE(url.ok());
  EXPECT_EQ(url.error().what.find("secret"), std::string::npos);
}

}  // namespace
}  // namespace spire_exporter
