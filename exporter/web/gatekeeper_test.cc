#include "exporter/web/gatekeeper.h"

#include <gtest/gtest.h>

namespace spire_exporter {
namespace {

constexpr const char* kPrometheus = "spiffe://example.org/prometheus";

PeerCertificate Shown(const std::string& dns_name, const std::string& uri, bool by_fallback) {
  PeerCertificate certificate;
  certificate.verified = true;
  certificate.by_fallback = by_fallback;
  if (!dns_name.empty()) certificate.dns_names.push_back(dns_name);
  if (!uri.empty()) certificate.uris.push_back(uri);
  return certificate;
}

class GatekeeperTest : public ::testing::Test {
 protected:
  // As if `authorized_ids` and `client_allowed_sans` were these.
  void Apply(const std::string& authorized_id, const std::vector<std::string>& allowed_sans) {
    WebConfig config;
    if (!authorized_id.empty()) {
      config.spiffe_rules.push_back(*SpiffeRule::ParsePattern(authorized_id));
    }
    config.client_allowed_sans = allowed_sans;
    gate_.Apply(std::move(config), "");
  }
  bool Admits(const PeerCertificate& certificate) {
    HttpGate::Visitor visitor;
    visitor.certificate = &certificate;
    return gate_.Judge(visitor).kind == HttpGate::Verdict::Kind::kAdmit;
  }

  ManualClock clock_;
  Gatekeeper gate_{clock_};
};

TEST_F(GatekeeperTest, JudgesATrustDomainsWordByRules) {
  Apply("spiffe://example.org/**", {});
  EXPECT_TRUE(Admits(Shown("", kPrometheus, false)));
  EXPECT_FALSE(Admits(Shown("", "spiffe://other.test/prometheus", false)));
  EXPECT_FALSE(Admits(Shown("a.test", "", false)));
}

TEST_F(GatekeeperTest, JudgesAFallbacksClientsByAllowedNamesAlone) {
  Apply("spiffe://example.org/**", {});
  EXPECT_FALSE(Admits(Shown("", kPrometheus, true))) << "no trust domain has said so";
  EXPECT_FALSE(Admits(Shown("backup.test", "", true))) << "nobody has named it";
  Apply("spiffe://example.org/**", {"backup.test", kPrometheus});
  EXPECT_TRUE(Admits(Shown("backup.test", "", true)));
  EXPECT_FALSE(Admits(Shown("other.test", "", true)));
  EXPECT_TRUE(Admits(Shown("", kPrometheus, false)));
  Apply("", {});
  EXPECT_TRUE(Admits(Shown("other.test", "", true))) << "all of that authority may come in";
}

}  // namespace
}  // namespace spire_exporter
