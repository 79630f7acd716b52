#include "collectors/svid/upstream_chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "collectors/clients/spiffe/test_identity.h"
#include "collectors/clients/spiffe/x509_svid.h"
#include "collectors/svid/test_servers.h"

namespace spire_exporter::svid {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

class UpstreamChainTest : public testing::Test {
 protected:
  UpstreamChainTest() {
    std::string name = (std::filesystem::temp_directory_path() / "chain_XXXXXX").string();
    folder_ = mkdtemp(name.data());
    file_ = (folder_ / "chain.pem").string();
    collector_ = MakeUpstreamChainCollector(file_);
  }
  ~UpstreamChainTest() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& text) const { std::ofstream(file_) << text; }
  static std::string Pem(const TestServer& server) {
    return spiffe::CertificatePem(server.root.der);
  }
  // A reading; what it says is in the page afterwards.
  void Round() {
    const RealClock clock;
    const FactsBoard facts;
    auto reading = collector_->Collect({Deadline::After(clock, seconds(5)), {}, clock, facts});
    ASSERT_TRUE(reading.ok()) << reading.error().ToString();
    problem_ = reading->problem.ok() ? "" : reading->problem.error().what;
    page_.clear();
    for (const Family& family : reading->families.Take()) {
      for (const Series& series : family.series) {
        page_[std::string(family.description->name) + "{" + std::string(series.labels->rendered()) +
              "}"] = series.value;
      }
    }
  }
  std::optional<double> Get(const std::string& series) const {
    const auto found = page_.find(series);
    return found == page_.end() ? std::nullopt : std::optional<double>(found->second);
  }
  void ExpectState(const std::string& state) const {
    for (const std::string name : {"ok", "denied", "unavailable", "malformed"}) {
      EXPECT_EQ(Get("spire_upstream_chain_state{state=\"" + name + "\"}"),
                std::optional<double>(name == state ? 1 : 0))
          << name;
    }
  }

  std::filesystem::path folder_;
  std::string file_;
  std::unique_ptr<Collector> collector_;
  std::string problem_;
  std::map<std::string, double> page_;
};

constexpr char kEnds[] = "spire_upstream_chain_expiry_timestamp_seconds{}";
constexpr char kBegins[] = "spire_upstream_chain_not_before_timestamp_seconds{}";

TEST_F(UpstreamChainTest, TellsOfTheCertificateThatEndsFirst) {
  Write(Pem(MakeTestServer(seconds(3000), seconds(9000))) +
        Pem(MakeTestServer(seconds(3000), seconds(7000))));
  Round();
  ExpectState("ok");
  EXPECT_EQ(problem_, "");
  EXPECT_EQ(Get(kEnds), std::optional<double>(1'800'007'600));
  EXPECT_EQ(Get(kBegins), std::optional<double>(1'800'000'000));
}

TEST_F(UpstreamChainTest, ReadsTheFileAnewEachTime) {
  Write(Pem(MakeTestServer(seconds(3000), seconds(7000))));
  Round();
  Write(Pem(MakeTestServer(seconds(3000), seconds(8000))));
  Round();
  EXPECT_EQ(Get(kEnds), std::optional<double>(1'800'008'600));
}

TEST_F(UpstreamChainTest, WithoutTheFileNothingIsToldOfItsEnd) {
  Round();
  ExpectState("unavailable");
  EXPECT_THAT(problem_, HasSubstr("unavailable"));
  EXPECT_EQ(Get(kEnds), std::nullopt);
  EXPECT_EQ(Get(kBegins), std::nullopt);
}

TEST_F(UpstreamChainTest, OneCertificateThatIsNoneSpoilsTheChain) {
  const std::string good = Pem(MakeTestServer());
  const std::string bad = "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n";
  for (const std::string& text :
       {std::string(), std::string("x"), good + bad, bad + good, good.substr(0, good.size() / 2)}) {
    Write(text);
    Round();
    ExpectState("malformed");
    EXPECT_THAT(problem_, HasSubstr("malformed"));
    EXPECT_EQ(Get(kEnds), std::nullopt) << text;
  }
}

TEST_F(UpstreamChainTest, ADescriptionNamesEachFamilyOfThePage) {
  Write(Pem(MakeTestServer()));
  Round();
  for (const auto& [series, value] : page_) {
    const std::string name = series.substr(0, series.find('{'));
    EXPECT_TRUE(std::any_of(UpstreamChainFamilies().begin(), UpstreamChainFamilies().end(),
                            [&](const FamilyDescription* family) { return family->name == name; }))
        << series;
  }
}

TEST_F(UpstreamChainTest, CheckSaysWhetherItIsRead) {
  const CheckLine missing = CheckUpstreamChain(file_, kTestNow);
  EXPECT_EQ(missing.subject, "svid upstream_chain " + file_);
  EXPECT_FALSE(missing.good);
  EXPECT_THAT(missing.remedy, HasSubstr("svid.upstream_chain_file"));

  Write("x");
  EXPECT_FALSE(CheckUpstreamChain(file_, kTestNow).good);
  EXPECT_THAT(CheckUpstreamChain(file_, kTestNow).detail, HasSubstr("PEM"));

  Write(Pem(MakeTestServer()) + Pem(MakeTestServer()));
  const CheckLine good = CheckUpstreamChain(file_, kTestNow);
  EXPECT_TRUE(good.good);
  EXPECT_THAT(good.detail, HasSubstr("2 certificates"));
  EXPECT_EQ(good.remedy, "");
}

TEST_F(UpstreamChainTest, CheckFindsACertificateThatHasEnded) {
  Write(Pem(MakeTestServer(seconds(60), seconds(120))));
  EXPECT_TRUE(CheckUpstreamChain(file_, kTestNow + seconds(119)).good);
  const CheckLine ended = CheckUpstreamChain(file_, kTestNow + seconds(120));
  EXPECT_FALSE(ended.good);
  EXPECT_THAT(ended.detail, HasSubstr("ended"));
}

}  // namespace
}  // namespace spire_exporter::svid
