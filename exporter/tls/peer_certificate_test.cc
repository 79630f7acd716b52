#include "exporter/tls/peer_certificate.h"

#include <gtest/gtest.h>

namespace spire_exporter {
namespace {

PeerCertificate With(std::vector<std::string> uris) {
  PeerCertificate certificate;
  certificate.uris = std::move(uris);
  return certificate;
}

TEST(SpiffeIdOfTest, IsTheOneUriName) {
  EXPECT_EQ(SpiffeIdOf(With({"spiffe://example.org/ns/a/sa/b"})), "spiffe://example.org/ns/a/sa/b");
  EXPECT_EQ(SpiffeIdOf(With({"spiffe://example.org"})), "spiffe://example.org");
}

TEST(SpiffeIdOfTest, IsEmptyWithoutOrWithASecondUriName) {
  EXPECT_EQ(SpiffeIdOf(With({})), "");
  EXPECT_EQ(SpiffeIdOf(With({"spiffe://example.org/a", "spiffe://example.org/b"})), "");
  EXPECT_EQ(SpiffeIdOf(With({"spiffe://example.org/a", "https://example.org/"})), "");
}

TEST(SpiffeIdOfTest, IsEmptyForWhatIsNoSpiffeId) {
  for (const char* const uri :
       {"https://example.org/a", "SPIFFE://example.org/a", "spiffe://", "spiffe:///a",
        "spiffe://Example.org/a", "spiffe://example.org:8081/a", "spiffe://user@example.org/a",
        "spiffe://example.org/", "spiffe://example.org/a/", "spiffe://example.org//a",
        "spiffe://example.org/a/../b", "spiffe://example.org/./a", "spiffe://example.org/a?b",
        "spiffe://example.org/a#b", "spiffe://example.org/%61"}) {
    EXPECT_EQ(SpiffeIdOf(With({uri})), "") << uri;
  }
  EXPECT_EQ(SpiffeIdOf(With({"spiffe://example.org/" + std::string(2048, 'a')})), "");
  EXPECT_EQ(SpiffeIdOf(With({"spiffe://" + std::string(256, 'a') + "/a"})), "");
}

}  // namespace
}  // namespace spire_exporter
