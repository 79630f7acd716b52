#include "tests/fakes/identity/lab_authorities.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace spire_exporter::fakes {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::sys_seconds;

class LabAuthoritiesTest : public testing::Test {
 protected:
  LabAuthoritiesTest() {
    char pattern[] = "/tmp/lab_authorities_XXXXXX";
    folder_ = mkdtemp(pattern);
  }
  ~LabAuthoritiesTest() override { std::filesystem::remove_all(folder_); }

  std::string folder_;
};

TEST_F(LabAuthoritiesTest, AServerFindsWhatItSignedWithUntilItsKeysAreLost) {
  const LabAuthorities lab(folder_);
  const Authority authority({.now = sys_seconds(seconds(1'800'000'000))});
  EXPECT_EQ(lab.Active("server-0").error().code, Code::kNotFound);
  ASSERT_TRUE(lab.Add(authority).ok());
  ASSERT_TRUE(lab.Activate("server-0", authority).ok());
  EXPECT_EQ(lab.Active("server-0").value()->id(), authority.id());
  std::filesystem::remove(folder_ + "/server-0.active");
  EXPECT_EQ(lab.Active("server-0").error().code, Code::kNotFound);
  EXPECT_EQ(lab.ById(authority.id()).value()->root(), authority.root());
}

TEST_F(LabAuthoritiesTest, TheBundleHasTheRootsOfAll) {
  const LabAuthorities lab(folder_);
  const Authority one({.now = sys_seconds(seconds(1'800'000'000))});
  const Authority two({.now = sys_seconds(seconds(1'800'000'000))});
  ASSERT_TRUE(lab.Add(one).ok());
  ASSERT_TRUE(lab.Add(two).ok());
  EXPECT_THAT(ReadBundleFile(folder_ + "/bundle.pem").value(),
              testing::UnorderedElementsAre(one.root(), two.root()));
  EXPECT_EQ(lab.All().size(), 2U);
  EXPECT_THAT(lab.Jwks(), testing::AllOf(testing::HasSubstr(one.jwt_key().id),
                                         testing::HasSubstr(two.jwt_key().id)));
  EXPECT_EQ(ReadBundleFile(folder_ + "/none.pem").error().code, Code::kNotFound);
}

TEST_F(LabAuthoritiesTest, KeepsTheMoodOfAKeyManager) {
  const LabAuthorities lab(folder_);
  EXPECT_FALSE(lab.SigningOf("id").denied);
  ASSERT_TRUE(lab.SetSigning("id", {milliseconds(2500), false}).ok());
  EXPECT_EQ(lab.SigningOf("id").delay, milliseconds(2500));
  ASSERT_TRUE(lab.SetSigning("id", {.denied = true}).ok());
  EXPECT_TRUE(lab.SigningOf("id").denied);
}

}  // namespace
}  // namespace spire_exporter::fakes
