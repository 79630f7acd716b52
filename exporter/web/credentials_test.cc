#include "exporter/web/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporter/web/test_hashes.h"

namespace spire_exporter {
namespace {

using Kind = Credentials::Kind;

TEST(ParseAuthorizationTest, ReadsBasic) {
  const Credentials read = ParseAuthorization("Basic cHJvbTpzZWNyZXQ=");  // prom:secret
  EXPECT_EQ(read.kind, Kind::kBasic);
  EXPECT_EQ(read.user, "prom");
  EXPECT_EQ(read.password, "secret");
  EXPECT_EQ(ParseAuthorization("bAsIc   cHJvbTpzZWNyZXQ=").user, "prom");
  // A colon in the password is part of it: `a:b:c`.
  EXPECT_EQ(ParseAuthorization("Basic YTpiOmM=").password, "b:c");
  // An empty name and password: `:`.
  EXPECT_EQ(ParseAuthorization("Basic Og==").kind, Kind::kBasic);
}

TEST(ParseAuthorizationTest, ReadsBearer) {
  const Credentials read = ParseAuthorization("Bearer abc.DEF-1");
  EXPECT_EQ(read.kind, Kind::kBearer);
  EXPECT_EQ(read.token, "abc.DEF-1");
}

TEST(ParseAuthorizationTest, NothingIsNone) {
  EXPECT_EQ(ParseAuthorization("").kind, Kind::kNone);
}

TEST(ParseAuthorizationTest, RefusesWhatIsMalformedOrTwoThingsAtOnce) {
  const std::string long_password =
      "OmFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYW"
      "FhYWFhYWFhYWFhYWFhYWFhYWFhYWE=";  // 73 letters
  for (const std::string& value :
       {std::string("Basic"), std::string("Basic "), std::string("Basic !!!!"),
        std::string("Basic cHJvbTpzZWNyZXQ"),       // without its padding
        std::string("Basic cHJvbTpzZWNyZXR="),      // a bit that does not count is set
        std::string("Basic cHJvbQ=="),              // no colon
        std::string("Basic cHJvbTpzZWNyZXQAeA=="),  // a zero byte, which bcrypt would stop at
        std::string("Basic ") + long_password, std::string("Basic cHJvbTpzZWNyZXQ= x"),
        std::string("Bearer "), std::string("Digest abc"), std::string("cHJvbTpzZWNyZXQ="),
        std::string("BasiccHJvbTpzZWNyZXQ=")}) {
    EXPECT_EQ(ParseAuthorization(value).kind, Kind::kMalformed) << value;
  }
}

TEST(BcryptTest, TellsTheCost) {
  EXPECT_EQ(BcryptCost(kHashOfSecret).value(), 4);
  EXPECT_EQ(BcryptCost(kCostlyHashOfSecret).value(), 12);
}

TEST(BcryptTest, RefusesWhatIsNoHashOrCostsTooMuch) {
  const std::string hash = kHashOfSecret;
  for (std::string bad :
       {std::string("secret"), std::string(), hash.substr(0, 59), hash + "x",
        "$1$" + hash.substr(3), "$2x" + hash.substr(3), hash.substr(0, 59) + "!"}) {
    EXPECT_FALSE(BcryptCost(bad).ok()) << bad;
  }
  std::string costly = hash;
  costly.replace(4, 2, "16");
  EXPECT_THAT(BcryptCost(costly).error().what, testing::HasSubstr("cost from 4 to 15"));
  costly.replace(4, 2, "03");
  EXPECT_FALSE(BcryptCost(costly).ok());
}

TEST(BcryptTest, FitsThePasswordAndNoOther) {
  EXPECT_TRUE(PasswordFits("secret", kHashOfSecret));
  EXPECT_FALSE(PasswordFits("Secret", kHashOfSecret));
  EXPECT_FALSE(PasswordFits("", kHashOfSecret));
  std::string as_htpasswd = kHashOfSecret;
  as_htpasswd[2] = 'y';
  EXPECT_TRUE(PasswordFits("secret", as_htpasswd));
}

TEST(EqualInConstantTimeTest, ComparesAllBytes) {
  EXPECT_TRUE(EqualInConstantTime("", ""));
  EXPECT_TRUE(EqualInConstantTime("token", "token"));
  EXPECT_FALSE(EqualInConstantTime("token", "tokem"));
  EXPECT_FALSE(EqualInConstantTime("token", "Token"));
  EXPECT_FALSE(EqualInConstantTime("token", "toke"));
}

}  // namespace
}  // namespace spire_exporter
