#include "collectors/svid/trust_roots.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "collectors/clients/spiffe/x509_svid.h"
#include "collectors/svid/test_servers.h"

namespace spire_exporter::svid {
namespace {

class TrustRootsTest : public testing::Test {
 protected:
  TrustRootsTest() {
    std::string name = (std::filesystem::temp_directory_path() / "trust_XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~TrustRootsTest() override { std::filesystem::remove_all(folder_); }

  std::string File(const std::string& text) const {
    std::ofstream(folder_ / "bundle") << text;
    return (folder_ / "bundle").string();
  }

  std::filesystem::path folder_;
  const TestServer server_ = MakeTestServer();
};

TEST_F(TrustRootsTest, ReadsABootstrapBundle) {
  const TrustedRoots roots = ReadBootstrapBundle(File(spiffe::CertificatePem(server_.root.der)));
  EXPECT_EQ(roots.state, RootsState::kOk);
  EXPECT_EQ(roots.certificates, std::vector{server_.root.der});
  EXPECT_EQ(roots.jwt_key_ids, std::nullopt);
}

TEST_F(TrustRootsTest, SaysWhyThereIsNone) {
  EXPECT_EQ(ReadBootstrapBundle((folder_ / "none").string()).state, RootsState::kUnavailable);
  EXPECT_EQ(ReadBootstrapBundle(folder_.string()).state, RootsState::kUnavailable);
  EXPECT_EQ(ReadBootstrapBundle(File("")).state, RootsState::kMalformed);
  EXPECT_EQ(ReadBootstrapBundle(File(R"({"keys":[{"kid":"a"}]})")).state, RootsState::kMalformed);
  EXPECT_EQ(ReadBootstrapBundle(File(std::string(1 << 20, 'x'))).state, RootsState::kMalformed);
  EXPECT_TRUE(ReadBootstrapBundle(File("x")).certificates.empty());
}

TEST_F(TrustRootsTest, DoesNotWaitForThePeerOfAPipe) {
  const std::string pipe = (folder_ / "pipe").string();
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(ReadBootstrapBundle(pipe).state, RootsState::kMalformed);
}

TEST(TrustNumberTest, IsTheFingerprintAsANumber) {
  const std::vector<std::string> some = {"a", "b"}, turned = {"b", "a", "b"}, other = {"a"};
  EXPECT_EQ(TrustNumber(some), std::strtoull(spiffe::TrustFingerprint(some).c_str(), nullptr, 16));
  EXPECT_EQ(TrustNumber(some), TrustNumber(turned));
  EXPECT_NE(TrustNumber(some), TrustNumber(other));
  const auto number = static_cast<double>(TrustNumber(some));
  EXPECT_EQ(static_cast<uint64_t>(number), TrustNumber(some));
}

}  // namespace
}  // namespace spire_exporter::svid
