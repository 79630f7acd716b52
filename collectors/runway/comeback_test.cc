#include "collectors/runway/comeback.h"

#include <gtest/gtest.h>

namespace spire_exporter::runway {
namespace {

spire::ServersFact Well() {
  spire::ServersFact servers;
  servers.addresses = servers.serving = 2;
  servers.held_bundle_verifies = servers.bootstrap_bundle_verifies = true;
  return servers;
}
spire::SpireConfigFact With(std::string attestor, std::optional<std::string> rebootstrap = {}) {
  spire::SpireConfigFact config;
  config.node_attestor = std::move(attestor);
  config.rebootstrap = std::move(rebootstrap);
  return config;
}

TEST(ComebackTest, WithAServerAndAGoodBundleItReturns) {
  const auto servers = Well();
  const auto config = With("x509pop");
  EXPECT_EQ(JudgeComeback(&servers, &config, false).state, "yes");
  EXPECT_EQ(JudgeComeback(&servers, &config, true).state, "yes") << "it attests anew";
  EXPECT_EQ(JudgeComeback(&servers, nullptr, false).state, "yes") << "its SVID lives";
}

TEST(ComebackTest, WithoutAServerItDoesNot) {
  auto servers = Well();
  servers.serving = 0;
  servers.held_bundle_verifies.reset();
  const auto config = With("x509pop");
  const Comeback comeback = JudgeComeback(&servers, &config, false);
  EXPECT_EQ(comeback.state, "no");
  EXPECT_TRUE(comeback.Has(Reason::kNoServer));
}

TEST(ComebackTest, WhereNothingIsIssuedItWouldServeNothing) {
  auto servers = Well();
  const auto config = With("x509pop");
  const Comeback comeback = JudgeComeback(&servers, &config, false, true);
  EXPECT_EQ(comeback.state, "no");
  EXPECT_TRUE(comeback.Has(Reason::kNotIssuing));
  servers.serving = 0;
  EXPECT_FALSE(JudgeComeback(&servers, &config, false, true).Has(Reason::kNotIssuing))
      << "no_server says more";
}

TEST(ComebackTest, AJoinTokenWorksOnce) {
  const auto servers = Well();
  const auto config = With("join_token");
  EXPECT_EQ(JudgeComeback(&servers, &config, false).state, "yes");
  const Comeback comeback = JudgeComeback(&servers, &config, true);
  EXPECT_EQ(comeback.state, "no");
  EXPECT_TRUE(comeback.Has(Reason::kAttestor) && comeback.Has(Reason::kSvidEnded));
  EXPECT_EQ(JudgeComeback(&servers, &config, std::nullopt).state, "unknown");
}

TEST(ComebackTest, ServersWithNewKeysNeedAFreshBootstrap) {
  auto servers = Well();
  servers.held_bundle_verifies = false;
  const auto never = With("x509pop", "never");
  const Comeback comeback = JudgeComeback(&servers, &never, false);
  EXPECT_EQ(comeback.state, "no");
  EXPECT_TRUE(comeback.Has(Reason::kBundle) && comeback.Has(Reason::kRebootstrapOff));
  const auto always = With("x509pop", "auto");
  EXPECT_EQ(JudgeComeback(&servers, &always, false).state, "yes");
  servers.bootstrap_bundle_verifies = false;
  EXPECT_TRUE(JudgeComeback(&servers, &always, false).Has(Reason::kBootstrapBundle));
  EXPECT_EQ(JudgeComeback(&servers, &always, false).state, "no");
}

TEST(ComebackTest, ToFetchAnotherBundleIsToAttestAnew) {
  auto servers = Well();
  servers.held_bundle_verifies = false;
  for (const char* const mode : {"auto", "always"}) {
    const auto token = With("join_token", mode);
    const Comeback comeback = JudgeComeback(&servers, &token, false);
    EXPECT_EQ(comeback.state, "no") << mode;
    EXPECT_TRUE(comeback.Has(Reason::kAttestor)) << mode;
    EXPECT_FALSE(comeback.Has(Reason::kSvidEnded)) << mode;
    const auto other = With("house_attestor", mode);
    EXPECT_EQ(JudgeComeback(&servers, &other, false).state, "unknown") << mode;
  }
}

TEST(ComebackTest, WhatIsNotSeenIsNotPromised) {
  const auto config = With("x509pop");
  EXPECT_EQ(JudgeComeback(nullptr, &config, false).state, "unknown");
  const auto servers = Well();
  const auto other = With("house_attestor");
  EXPECT_EQ(JudgeComeback(&servers, &other, true).state, "unknown");
}

}  // namespace
}  // namespace spire_exporter::runway
