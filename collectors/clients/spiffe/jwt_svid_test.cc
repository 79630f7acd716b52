#include "collectors/clients/spiffe/jwt_svid.h"

#include <gtest/gtest.h>

#include "collectors/clients/spiffe/jws_key.h"
#include "collectors/clients/spiffe/test_identity.h"

namespace spire_exporter::spiffe {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr sys_seconds kIssuedAt{seconds(1'800'000'000)};
constexpr std::string_view kAudience = "canary-7";
constexpr std::string_view kPayload =
    R"({"aud":["canary-7"],"exp":1800000300,"iat":1800000000,"sub":"spiffe://example.org/canary"})";

class JwtSvidTest : public testing::Test {
 protected:
  Verdict Judge(std::string_view payload, SystemTime now = kIssuedAt + seconds(5)) const {
    return VerifyJwtSvid(SignTestJwt(key_, payload), TestJwks({key_}), kAudience, now);
  }
  Verdict JudgeHeader(std::string_view header) const {
    return VerifyJwtSvid(SignTestJwt(key_, header, kPayload), TestJwks({key_}), kAudience,
                         kIssuedAt);
  }

  const TestJwtKey key_ = MakeTestJwtKey("k1", "ES256");
};

TEST_F(JwtSvidTest, AcceptsWhatSpireSigns) {
  for (const char* algorithm :
       {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"}) {
    const TestJwtKey key = MakeTestJwtKey("k", algorithm);
    EXPECT_EQ(
        VerifyJwtSvid(SignTestJwt(key, kPayload), TestJwks({key_, key}), kAudience, kIssuedAt),
        Verdict::kGood)
        << algorithm;
  }
}

TEST_F(JwtSvidTest, GoesByTheTimeItIsGiven) {
  EXPECT_EQ(Judge(kPayload, kIssuedAt + seconds(299)), Verdict::kGood);
  EXPECT_EQ(Judge(kPayload, kIssuedAt + seconds(300)), Verdict::kExpired);
  // The signer's clock may be ahead: RFC 7519 has no rule on `iat`.
  EXPECT_EQ(Judge(kPayload, kIssuedAt - seconds(5)), Verdict::kGood);
  const std::string later =
      R"({"aud":"canary-7","exp":1800000300,"nbf":1800000100,"sub":"spiffe://example.org/canary"})";
  EXPECT_EQ(Judge(later, kIssuedAt + seconds(99)), Verdict::kNotYetValid);
  EXPECT_EQ(Judge(later, kIssuedAt + seconds(100)), Verdict::kGood);
}

TEST_F(JwtSvidTest, SurvivesAbsurdTimes) {
  const auto with = [](const std::string& exp) {
    return R"({"aud":"canary-7","sub":"spiffe://a/b","exp":)" + exp + "}";
  };
  EXPECT_EQ(Judge(with("1e300")), Verdict::kGood);
  EXPECT_EQ(Judge(with("-1e300")), Verdict::kExpired);
  EXPECT_EQ(Judge(with("18446744073709551615")), Verdict::kGood);
  EXPECT_EQ(Judge(with("1800000300.5")), Verdict::kGood);
  EXPECT_EQ(Judge(with("\"1800000300\"")), Verdict::kMalformed);
  EXPECT_EQ(Judge(with("null")), Verdict::kMalformed);
  const auto facts = ReadJwt(SignTestJwt(key_, with("1e300")));
  ASSERT_TRUE(facts.ok());
  EXPECT_EQ(facts->expires_at, sys_seconds(seconds(253'402'300'799)));
  EXPECT_FALSE(facts->issued_at.has_value());
}

TEST_F(JwtSvidTest, TrustsOnlyTheKeyOfThatId) {
  const TestJwtKey stranger = MakeTestJwtKey("k1", "ES256");
  const TestJwtKey renamed{"k2", key_.algorithm, key_.key};
  const std::string token = SignTestJwt(key_, kPayload);
  const auto judge = [&](const std::string& jwks) {
    return VerifyJwtSvid(token, jwks, kAudience, kIssuedAt);
  };
  EXPECT_EQ(judge(TestJwks({stranger})), Verdict::kUntrusted);
  EXPECT_EQ(judge(TestJwks({renamed})), Verdict::kUntrusted);
  EXPECT_EQ(judge(TestJwks({stranger, key_})), Verdict::kGood);
  EXPECT_EQ(judge(TestJwks({key_}, "jwt-svid")), Verdict::kGood);
  EXPECT_EQ(judge(TestJwks({key_}, "x509-svid")), Verdict::kUntrusted);
  EXPECT_EQ(judge(TestJwks({})), Verdict::kUntrusted);
  EXPECT_EQ(judge(""), Verdict::kUntrusted);
  EXPECT_EQ(judge("{}"), Verdict::kUntrusted);
  EXPECT_EQ(judge(R"({"keys":{}})"), Verdict::kUntrusted);
  EXPECT_EQ(judge(R"({"keys":[7,null,{"kid":"k1"},{"kid":"k1","kty":"EC","crv":"P-256"}]})"),
            Verdict::kUntrusted);
}

TEST_F(JwtSvidTest, IsForOneAudience) {
  EXPECT_EQ(Judge(R"({"aud":["x","canary-7"],"exp":1800000300,"sub":"spiffe://a/b"})"),
            Verdict::kGood);
  EXPECT_EQ(Judge(R"({"aud":["canary-70"],"exp":1800000300,"sub":"spiffe://a/b"})"),
            Verdict::kUntrusted);
  EXPECT_EQ(Judge(R"({"aud":[],"exp":1800000300,"sub":"spiffe://a/b"})"), Verdict::kMalformed);
  EXPECT_EQ(Judge(R"({"exp":1800000300,"sub":"spiffe://a/b"})"), Verdict::kMalformed);
}

TEST_F(JwtSvidTest, KnowsWhatIsNoSvid) {
  EXPECT_EQ(Judge(R"({"aud":"canary-7","exp":1800000300})"), Verdict::kMalformed);
  EXPECT_EQ(Judge(R"({"aud":"canary-7","exp":1800000300,"sub":"admin"})"), Verdict::kMalformed);
  EXPECT_EQ(Judge(R"({"aud":"canary-7","sub":"spiffe://a/b"})"), Verdict::kMalformed);
  EXPECT_EQ(Judge(R"([1])"), Verdict::kMalformed);
  EXPECT_EQ(Judge("{"), Verdict::kMalformed);
  EXPECT_EQ(JudgeHeader(R"({"alg":"none","kid":"k1"})"), Verdict::kMalformed);
  EXPECT_EQ(JudgeHeader(R"({"alg":"HS256","kid":"k1"})"), Verdict::kMalformed);
  EXPECT_EQ(JudgeHeader(R"({"alg":"ES256"})"), Verdict::kMalformed);
  EXPECT_EQ(JudgeHeader(R"({"alg":"ES256","kid":"k1","typ":"at+jwt"})"), Verdict::kMalformed);
  EXPECT_EQ(JudgeHeader(R"({"alg":"ES256","kid":"k1","crit":["x"],"x":1})"), Verdict::kMalformed);
  EXPECT_EQ(JudgeHeader(R"({"alg":"ES256","kid":"k1"})"), Verdict::kGood);
  // Another algorithm than the signature's and the key's.
  EXPECT_EQ(JudgeHeader(R"({"alg":"ES384","kid":"k1"})"), Verdict::kUntrusted);
  EXPECT_EQ(JudgeHeader(R"({"alg":"RS256","kid":"k1"})"), Verdict::kUntrusted);
}

TEST_F(JwtSvidTest, ATokenThatWasTamperedWithIsUntrusted) {
  const std::string token = SignTestJwt(key_, kPayload);
  const std::string forged =
      R"({"aud":"canary-7","exp":1900000300,"sub":"spiffe://example.org/canary"})";
  const size_t first = token.find('.'), second = token.rfind('.');
  EXPECT_EQ(
      VerifyJwtSvid(token.substr(0, first + 1) + EncodeBase64Url(forged) + token.substr(second),
                    TestJwks({key_}), kAudience, kIssuedAt),
      Verdict::kUntrusted);
  EXPECT_EQ(VerifyJwtSvid(token.substr(0, second + 1), TestJwks({key_}), kAudience, kIssuedAt),
            Verdict::kUntrusted);
}

TEST_F(JwtSvidTest, GarbageIsMalformed) {
  const std::string token = SignTestJwt(key_, kPayload);
  for (const std::string& text :
       {std::string(), std::string("."), std::string(".."), std::string("a.b.c"), token + ".x",
        token + "=", token.substr(0, token.rfind('.')), " " + token}) {
    EXPECT_EQ(VerifyJwtSvid(text, TestJwks({key_}), kAudience, kIssuedAt), Verdict::kMalformed);
    EXPECT_EQ(ReadJwt(text).error().code, Code::kDataLoss);
  }
}

TEST_F(JwtSvidTest, BoundsWhatItReads) {
  const std::string padding(20'000, 'x');
  const std::string fat =
      R"({"aud":"canary-7","exp":1800000300,"sub":"spiffe://a/b","x":")" + padding + "\"}";
  EXPECT_EQ(Judge(fat), Verdict::kMalformed);
  EXPECT_EQ(ReadJwt(SignTestJwt(key_, fat)).error().code, Code::kResourceExhausted);

  const std::string token = SignTestJwt(key_, kPayload);
  const std::string jwks = TestJwks({key_});
  EXPECT_EQ(
      VerifyJwtSvid(token, std::string(524'288 - jwks.size(), ' ') + jwks, kAudience, kIssuedAt),
      Verdict::kGood);
  EXPECT_EQ(
      VerifyJwtSvid(token, std::string(524'289 - jwks.size(), ' ') + jwks, kAudience, kIssuedAt),
      Verdict::kUntrusted);
  const std::string deep = R"({"a":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  EXPECT_EQ(VerifyJwtSvid(token, deep, kAudience, kIssuedAt), Verdict::kUntrusted);
}

TEST_F(JwtSvidTest, TellsWhatATokenSays) {
  const auto facts = ReadJwt(SignTestJwt(key_, kPayload));
  ASSERT_TRUE(facts.ok());
  EXPECT_EQ(facts->subject, "spiffe://example.org/canary");
  EXPECT_EQ(facts->key_id, "k1");
  EXPECT_EQ(facts->issued_at, kIssuedAt);
  EXPECT_EQ(facts->expires_at, kIssuedAt + seconds(300));
}

TEST(Base64UrlTest, TakesOneFormOfEachText) {
  EXPECT_EQ(DecodeBase64Url("Zm9vYg"), "foob");
  EXPECT_EQ(DecodeBase64Url("-_8"), "\xfb\xff");
  EXPECT_EQ(DecodeBase64Url(""), "");
  for (const char* text : {"Zm9vYg==", "Z", "Zm9vYh", "Zm+v", "Zm/v", "Zm 9"}) {
    EXPECT_FALSE(DecodeBase64Url(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace spire_exporter::spiffe
