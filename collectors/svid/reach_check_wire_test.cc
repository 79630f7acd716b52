#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "collectors/clients/spire/test_tls_server.h"
#include "collectors/svid/reach_check.h"
#include "collectors/svid/test_port.h"
#include "tests/fakes/hung_server.h"

namespace spire_exporter::svid {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class ReachCheckWireTest : public testing::Test {
 protected:
  CheckLine Check(Duration timeout = seconds(20)) {
    ReachOptions options;
    options.address = "servers.test:8081";
    options.timeout = timeout;
    return CheckServers(
        options,
        [this](const Waiter&) -> Result<std::vector<SocketAddress>> {
          if (!name_.ok()) return name_.error();
          return addresses_;
        },
        clock_, Deadline::After(clock_, seconds(20)));
  }
  TestPort& AddPort() {
    ports_.push_back(std::make_unique<TestPort>(MakeTestServer()));
    addresses_.push_back(ports_.back()->Address());
    return *ports_.back();
  }

  const RealClock clock_{};
  Status name_;
  std::vector<SocketAddress> addresses_;
  std::vector<std::unique_ptr<TestPort>> ports_;
};

TEST_F(ReachCheckWireTest, IsGoodWhenEachAddressServes) {
  AddPort();
  AddPort();
  const CheckLine line = Check();
  EXPECT_TRUE(line.good) << line.detail;
  EXPECT_EQ(line.subject, "svid server servers.test:8081");
  EXPECT_THAT(line.detail, HasSubstr("2 of 2"));
  EXPECT_THAT(line.remedy, IsEmpty());
}

TEST_F(ReachCheckWireTest, SaysThatTheNameIsNotKnown) {
  name_ = Error{Code::kNotFound, "no such name", "", true};
  const CheckLine line = Check();
  EXPECT_FALSE(line.good);
  EXPECT_THAT(line.detail, AllOf(HasSubstr("stage name"), HasSubstr("no such name")));
  EXPECT_THAT(line.remedy, HasSubstr("svid.server.address"));
}

TEST_F(ReachCheckWireTest, ANameWithoutAddressesIsNoServer) {
  const CheckLine line = Check();
  EXPECT_FALSE(line.good);
  EXPECT_THAT(line.detail, HasSubstr("stage name"));
}

TEST_F(ReachCheckWireTest, SaysThatNobodyListensAtOneOfThem) {
  AddPort();
  {
    const TestPort gone(MakeTestServer());
    addresses_.push_back(gone.Address());
  }
  const CheckLine line = Check();
  EXPECT_FALSE(line.good);
  EXPECT_THAT(line.detail, AllOf(StartsWith("fails at the stage connect"), HasSubstr("1 of 2")));
  EXPECT_THAT(line.remedy, HasSubstr("start the server"));
}

TEST_F(ReachCheckWireTest, SaysThatItShakesNoHands) {
  auto hung =
      fakes::HungServer::Start("127.0.0.1:0", fakes::HangWay::kAcceptOnly, milliseconds(20));
  ASSERT_TRUE(hung.ok());
  addresses_.push_back(spire::LoopbackAddress((*hung)->port()));
  const CheckLine line = Check(milliseconds(500));
  EXPECT_FALSE(line.good);
  EXPECT_THAT(line.detail, AllOf(HasSubstr("stage tls"), HasSubstr("0 of 1")));
  EXPECT_THAT(line.remedy, HasSubstr("TLS"));
}

TEST_F(ReachCheckWireTest, SaysThatItServesNoBundle) {
  AddPort().SetAnswer(TestPort::Answer::kDatabaseDown);
  const CheckLine line = Check();
  EXPECT_FALSE(line.good);
  EXPECT_THAT(line.detail, HasSubstr("stage bundle"));
  EXPECT_THAT(line.remedy, HasSubstr("database"));
}

}  // namespace
}  // namespace spire_exporter::svid
