#include "tests/fakes/identity/agent_admin_socket.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "collectors/clients/spire/agent_admin.h"

namespace spire_exporter::fakes {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::sys_seconds;

TEST(AgentAdminSocketTest, TellsFailsAndHangs) {
  char pattern[] = "/tmp/fake_admin_XXXXXX";
  const std::string folder = mkdtemp(pattern);
  auto started = FakeAgentAdmin::Start(folder + "/admin.sock");
  ASSERT_TRUE(started.ok()) << started.error().ToString();
  FakeAgentAdmin& fake = *started.value();
  const RealClock clock;
  const spire::AgentAdmin client(spire::Channel::ToSocket(fake.address()).value());
  const auto soon = [&](Duration timeout = seconds(20)) {
    return spire::Call{Deadline::After(clock, timeout), {}, clock};
  };

  const sys_seconds expiry{seconds(1'800'000'000)};
  fake.Tell({.svid_chain_expiry = {expiry},
             .uptime = seconds(77),
             .last_sync_success = expiry - seconds(100),
             .cached_x509_svids = 5,
             .cached_jwt_svids = 3,
             .cached_svidstore_svids = 1});
  const auto info = client.GetInfo(soon());
  ASSERT_TRUE(info.ok()) << info.error().ToString();
  EXPECT_EQ(info.value().svid_chain_expiry, std::vector{expiry});
  EXPECT_EQ(info.value().uptime, seconds(77));
  EXPECT_EQ(info.value().last_sync_success, expiry - seconds(100));
  EXPECT_EQ(info.value().cached_x509_svids, 5U);
  EXPECT_EQ(info.value().cached_jwt_svids, 3U);
  EXPECT_EQ(info.value().cached_svidstore_svids, 1U);

  fake.FailVerification();
  EXPECT_EQ(client.GetInfo(soon()).error().code, Code::kInternal);
  fake.Fail(Code::kOk, "");
  fake.Hang(true);
  EXPECT_EQ(client.GetInfo(soon(milliseconds(200))).error().code, Code::kDeadlineExceeded);
  fake.Hang(false);
  EXPECT_TRUE(client.GetInfo(soon()).ok());
  EXPECT_EQ(fake.calls(), 4U);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace spire_exporter::fakes
