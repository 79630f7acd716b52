#include "tests/fakes/keymanager/lab_keys.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <future>

namespace spire_exporter::fakes {
namespace {

using std::chrono::milliseconds;

class LabKeysTest : public testing::Test {
 protected:
  ~LabKeysTest() override { ::unlink(file_.c_str()); }

  void Say(const std::string& mood) { std::ofstream(file_) << mood << '\n'; }

  const std::string file_ = testing::TempDir() + "mood" + std::to_string(::getpid());
  const std::string digest_ = std::string(32, 'd');
  LabKeys keys_{file_};
};

bool Verifies(const LabPublicKey& key, const std::string& digest, const std::string& signature) {
  const auto* der = reinterpret_cast<const unsigned char*>(key.pkix.data());
  const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> pkey(
      d2i_PUBKEY(nullptr, &der, static_cast<long>(key.pkix.size())), EVP_PKEY_free);
  const std::unique_ptr<EVP_PKEY_CTX, void (*)(EVP_PKEY_CTX*)> context(
      EVP_PKEY_CTX_new(pkey.get(), nullptr), EVP_PKEY_CTX_free);
  return EVP_PKEY_verify_init(context.get()) == 1 &&
         EVP_PKEY_verify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                         signature.size(), reinterpret_cast<const unsigned char*>(digest.data()),
                         digest.size()) == 1;
}

TEST_F(LabKeysTest, SignaturesVerifyWithThePublicKeyAndNoOther) {
  for (const Curve curve : {Curve::kP256, Curve::kP384}) {
    const auto key = keys_.Generate("a", curve);
    const auto other = keys_.Generate("b", curve);
    ASSERT_TRUE(key.ok() && other.ok());
    const auto made = keys_.Sign("a", digest_);
    ASSERT_TRUE(made.ok()) << made.error().what;
    EXPECT_EQ(made.value().fingerprint, key.value().fingerprint);
    EXPECT_TRUE(Verifies(key.value(), digest_, made.value().signature));
    EXPECT_FALSE(Verifies(other.value(), digest_, made.value().signature));
  }
}

TEST_F(LabKeysTest, ANewKeyOfAnIdTakesThePlaceOfTheOld) {
  const auto first = keys_.Generate("a", Curve::kP256);
  const auto second = keys_.Generate("a", Curve::kP256);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_NE(first.value().pkix, second.value().pkix);
  EXPECT_EQ(keys_.All().size(), 1U);
  EXPECT_EQ(keys_.Public("a").value().pkix, second.value().pkix);
}

TEST_F(LabKeysTest, WhatIsNotThereIsNotFound) {
  EXPECT_EQ(keys_.Public("a").error().code, Code::kNotFound);
  EXPECT_EQ(keys_.Sign("a", digest_).error().code, Code::kNotFound);
}

TEST_F(LabKeysTest, SignsAsTheFileSaysFromOneCallToTheNext) {
  ASSERT_TRUE(keys_.Generate("a", Curve::kP256).ok());
  Say("denied");
  EXPECT_EQ(keys_.Sign("a", digest_).error().code, Code::kPermissionDenied);
  Say("0.2");
  const auto began = std::chrono::steady_clock::now();
  EXPECT_TRUE(keys_.Sign("a", digest_).ok());
  EXPECT_GE(std::chrono::steady_clock::now() - began, milliseconds(200));
  Say("well");
  EXPECT_TRUE(keys_.Sign("a", digest_).ok());
  Say("ill");
  EXPECT_EQ(keys_.Sign("a", digest_).error().code, Code::kInvalidArgument);
}

TEST_F(LabKeysTest, StopEndsAWait) {
  ASSERT_TRUE(keys_.Generate("a", Curve::kP256).ok());
  Say("3600");
  auto waiting = std::async(std::launch::async, [this] { return keys_.Sign("a", digest_); });
  keys_.Stop();
  EXPECT_EQ(waiting.get().error().code, Code::kCancelled);
}

TEST(KeyMoodTest, TakesThreeWordsAndRefusesOthers) {
  EXPECT_TRUE(ParseKeyMood(" denied\n").value().denied);
  EXPECT_EQ(ParseKeyMood("7.5").value().delay, milliseconds(7500));
  EXPECT_EQ(ParseKeyMood("").value().delay, Duration(0));
  for (const std::string_view wrong : {"-1", "3601", "nan", "3 s", "slow"}) {
    EXPECT_FALSE(ParseKeyMood(wrong).ok()) << wrong;
  }
}

}  // namespace
}  // namespace spire_exporter::fakes
