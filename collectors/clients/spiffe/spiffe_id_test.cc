#include "collectors/clients/spiffe/spiffe_id.h"

#include <gtest/gtest.h>

#include <string>

namespace spire_exporter::spiffe {
namespace {

TEST(SpiffeIdTest, KnowsAnIdFromWhatOnlyLooksLikeOne) {
  for (const char* id : {"spiffe://example.org", "spiffe://example.org/ns/shop", "spiffe://a/B_1.x",
                         "spiffe://1.2.3.4/..."}) {
    EXPECT_TRUE(IsSpiffeId(id)) << id;
  }
  for (const char* id : {"", "spiffe://", "spiffe:///path", "https://example.org/a",
                         "spiffe://Example.org/a", "spiffe://example.org/", "spiffe://a//b",
                         "spiffe://a/./b", "spiffe://a/..", "spiffe://a/b?c", "spiffe://a:8081/b",
                         "spiffe://user@a/b", "spiffe://a/b%20c", "SPIFFE://a/b"}) {
    EXPECT_FALSE(IsSpiffeId(id)) << id;
  }
}

TEST(SpiffeIdTest, BoundsTheLength) {
  const std::string longest = "spiffe://a/" + std::string(2048 - 11, 'p');
  EXPECT_TRUE(IsSpiffeId(longest));
  EXPECT_FALSE(IsSpiffeId(longest + "p"));
  EXPECT_TRUE(IsSpiffeId("spiffe://" + std::string(255, 'a')));
  EXPECT_FALSE(IsSpiffeId("spiffe://" + std::string(256, 'a')));
}

TEST(SpiffeIdTest, AWorkloadHasAPath) {
  EXPECT_TRUE(IsWorkloadId("spiffe://example.org/a"));
  EXPECT_FALSE(IsWorkloadId("spiffe://example.org"));
}

}  // namespace
}  // namespace spire_exporter::spiffe
