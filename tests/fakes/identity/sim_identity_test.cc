#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>

#include "collectors/clients/spiffe/x509_svid.h"
#include "collectors/clients/spire/agent_admin.h"
#include "collectors/clients/spire/workload_api.h"
#include "tests/fakes/identity/agent_node.h"
#include "tests/fakes/identity/sim_server.h"

namespace spire_exporter::fakes {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::sys_seconds;

// Servers and an agent over real sockets, in real time with short lives.
class SimIdentityTest : public testing::Test {
 protected:
  SimIdentityTest() {
    char pattern[] = "/tmp/sim_identity_XXXXXX";
    folder_ = mkdtemp(pattern);
  }
  ~SimIdentityTest() override {
    EndAgent();
    server_.reset();
    std::filesystem::remove_all(folder_);
  }

  void StartServer(const std::string& listen = "127.0.0.1:0") {
    auto started =
        SimServer::Start({.listen = listen, .folder = folder_}, clock_,
                         [this](std::string_view kind, const std::string& id, sys_seconds) {
                           const std::lock_guard<std::mutex> lock(mutex_);
                           issued_.push_back(std::string(kind) + ' ' + id);
                         });
    ASSERT_TRUE(started.ok()) << started.error().ToString();
    server_ = std::move(started).value();
    address_ = server_->address();
  }
  void StartAgent(seconds svid_ttl = seconds(240), seconds agent_ttl = seconds(360)) {
    AgentNodeOptions options;
    options.agent.entries = {"canary", "web"};
    options.agent.bootstrap_roots = ReadBundleFile(folder_ + "/bundle.pem").value();
    options.agent.state_file = folder_ + "/agent.state";
    options.agent.sync_interval = milliseconds(100);
    options.agent.server_timeout = seconds(2);
    options.agent.svid_ttl = svid_ttl;
    options.agent.agent_ttl = agent_ttl;
    options.served = {"canary"};
    options.workload_socket = folder_ + "/agent.sock";
    options.admin_socket = folder_ + "/admin.sock";
    servers_ = std::make_unique<WireServers>(std::vector<std::string>{address_}, folder_, clock_);
    node_ = std::make_unique<AgentNode>(
        options, clock_, servers_.get(),
        [this](std::string_view kind, const std::string& id, sys_seconds not_after) {
          const std::lock_guard<std::mutex> lock(mutex_);
          issued_.push_back(std::string(kind) + ' ' + id);
          if (kind == "workload") last_expiry_ = not_after;
          changed_.notify_all();
        });
  }
  void EndAgent() {
    if (servers_) servers_->Stop();
    node_.reset();
    servers_.reset();
  }
  // Looks again and again, without a fixed time.
  bool Eventually(const std::function<bool()>& condition) {
    const Deadline deadline = Deadline::After(clock_, seconds(30));
    std::unique_lock<std::mutex> lock(looking_);
    while (!condition()) {
      if (deadline.Passed(clock_)) return false;
      look_.wait_for(lock, milliseconds(10));
    }
    return true;
  }
  spire::Call Soon(Duration timeout = seconds(20)) const {
    return {Deadline::After(clock_, timeout), {}, clock_};
  }
  spire::WorkloadApi Workload() const {
    return spire::WorkloadApi(spire::Channel::ToSocket(folder_ + "/agent.sock").value());
  }
  spire::AgentAdmin Admin() const {
    return spire::AgentAdmin(spire::Channel::ToSocket(folder_ + "/admin.sock").value());
  }
  std::vector<std::string> issued() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return issued_;
  }

  const RealClock clock_;
  std::string folder_;
  std::string address_;
  std::unique_ptr<SimServer> server_;
  std::unique_ptr<WireServers> servers_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> issued_;
  sys_seconds last_expiry_;
  std::unique_ptr<AgentNode> node_;
  std::mutex looking_;
  std::condition_variable look_;
};

TEST_F(SimIdentityTest, AnAgentServesWhatItsServerSigned) {
  StartServer();
  StartAgent();
  ASSERT_TRUE(Eventually([this] { return node_->ready(); }));
  const auto context = Workload().FetchX509Svid(Soon());
  ASSERT_TRUE(context.ok()) << context.error().ToString();
  ASSERT_EQ(context.value().svids.size(), 1U);
  EXPECT_EQ(context.value().svids[0].spiffe_id, "spiffe://example.org/canary");
  const auto chain = spiffe::SplitCertificates(context.value().svids[0].chain);
  const auto roots = spiffe::SplitCertificates(context.value().svids[0].bundle);
  EXPECT_EQ(spiffe::VerifyX509Svid(chain.value(), roots.value(), clock_.System()),
            spiffe::Verdict::kGood);
  const auto info = Admin().GetInfo(Soon());
  ASSERT_TRUE(info.ok()) << info.error().ToString();
  EXPECT_EQ(info.value().cached_x509_svids, 2U);
  EXPECT_TRUE(info.value().last_sync_success.has_value());
  EXPECT_THAT(issued(), testing::IsSupersetOf({"server spiffe://example.org/spire/server",
                                               "agent spiffe://example.org/spire/agent/agent-0",
                                               "workload spiffe://example.org/canary",
                                               "workload spiffe://example.org/web"}));
}

TEST_F(SimIdentityTest, TokensAreSignedOncePerAudience) {
  StartServer();
  StartAgent();
  ASSERT_TRUE(Eventually([this] { return node_->ready(); }));
  const auto workload = Workload();
  const std::string first = workload.FetchJwtSvid("one", "", Soon()).value().at(0).token;
  EXPECT_EQ(workload.FetchJwtSvid("one", "", Soon()).value().at(0).token, first);
  EXPECT_NE(workload.FetchJwtSvid("two", "", Soon()).value().at(0).token, first);
  const std::vector<std::string> all = issued();
  EXPECT_EQ(std::count(all.begin(), all.end(), "jwt spiffe://example.org/canary"), 2);
}

TEST_F(SimIdentityTest, AKeyManagerThatRefusesStopsTokensAlone) {
  StartServer();
  StartAgent();
  ASSERT_TRUE(Eventually([this] { return node_->ready(); }));
  ASSERT_TRUE(server_->SetSigning({.denied = true}).ok());
  EXPECT_EQ(Workload().FetchJwtSvid("one", "", Soon()).error().code, Code::kUnavailable);
  EXPECT_TRUE(Workload().FetchX509Svid(Soon()).ok());
  ASSERT_TRUE(server_->SetSigning({.delay = seconds(1)}).ok());
  EXPECT_EQ(Workload().FetchJwtSvid("one", "", Soon(milliseconds(200))).error().code,
            Code::kDeadlineExceeded);
}

TEST_F(SimIdentityTest, AHungDatabaseIsADeadlineAndADeadOneAnError) {
  StartServer();
  StartAgent();
  ASSERT_TRUE(Eventually([this] { return node_->ready(); }));
  const std::vector<std::string> roots = ReadBundleFile(folder_ + "/bundle.pem").value();
  server_->SetDatabase(DatabaseMood::kHung);
  EXPECT_EQ(servers_->Reach(roots, milliseconds(300)).error().code, Code::kDeadlineExceeded);
  server_->SetDatabase(DatabaseMood::kDown);
  EXPECT_EQ(servers_->Reach(roots, seconds(20)).error().code, Code::kInternal);
  server_->SetDatabase(DatabaseMood::kWell);
  EXPECT_TRUE(servers_->Reach(roots, seconds(20)).ok());
}

TEST_F(SimIdentityTest, AnOutageEndsTheAgentAfterItsSvidsWereServedExpired) {
  StartServer();
  StartAgent(seconds(2), seconds(4));
  ASSERT_TRUE(Eventually([this] { return node_->ready(); }));
  const auto workload = Workload();
  const auto admin = Admin();
  server_.reset();
  // Served as if it were good, for as long as the agent lives.
  EXPECT_TRUE(Eventually([&] {
    const auto context = workload.FetchX509Svid(Soon());
    return context.ok() &&
           spiffe::ReadLeaf(context.value().svids[0].chain).value().not_after < clock_.System();
  }));
  EXPECT_TRUE(Eventually([this] { return node_->ended(); }));
  EXPECT_EQ(workload.FetchX509Svid(Soon()).error().code, Code::kUnavailable);
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/agent.sock"));
}

TEST_F(SimIdentityTest, ServersThatLostTheirKeysAreNotBelieved) {
  StartServer();
  StartAgent();
  ASSERT_TRUE(Eventually([this] { return node_->ready(); }));
  const std::vector<std::string> roots = ReadBundleFile(folder_ + "/bundle.pem").value();
  server_.reset();
  std::filesystem::remove(folder_ + "/server-0.active");
  StartServer(address_);
  EXPECT_EQ(servers_->Reach(roots, seconds(20)).error().code, Code::kUnauthenticated);
  EXPECT_TRUE(Eventually([this] { return node_->ended(); }));
  EXPECT_EQ(ReadBundleFile(folder_ + "/bundle.pem").value().size(), 2U);
  // Who starts with the new bundle gets through, and a plain restart keeps the keys.
  const std::vector<std::string> both = ReadBundleFile(folder_ + "/bundle.pem").value();
  EXPECT_TRUE(servers_->Reach(both, seconds(20)).ok());
  const std::string id = server_->authority().id();
  server_.reset();
  StartServer(address_);
  EXPECT_EQ(server_->authority().id(), id);
}

TEST(SimServerTest, PreparesAndActivatesAuthoritiesAndRenewsItsSvid) {
  char pattern[] = "/tmp/sim_server_XXXXXX";
  const std::string folder = mkdtemp(pattern);
  ManualClock clock;
  std::vector<std::string> kinds;
  auto started = SimServer::Start(
      {.listen = "127.0.0.1:0",
       .folder = folder,
       .svid_ttl = seconds(240),
       .ca_ttl = seconds(1200)},
      clock,
      [&](std::string_view kind, const std::string&, sys_seconds) { kinds.emplace_back(kind); });
  ASSERT_TRUE(started.ok());
  const std::string first = started.value()->authority().id();
  const LabAuthorities lab(folder);
  const auto run = [&](int seconds_long) {
    for (int i = 0; i < seconds_long; ++i) {
      clock.Advance(seconds(1));
      ASSERT_TRUE(started.value()->Step().ok());
    }
  };
  run(590);
  EXPECT_EQ(lab.All().size(), 1U);
  EXPECT_GE(std::count(kinds.begin(), kinds.end(), "server"), 5);
  run(20);
  EXPECT_EQ(lab.All().size(), 2U);
  EXPECT_EQ(started.value()->authority().id(), first);
  run(400);
  EXPECT_NE(started.value()->authority().id(), first);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace spire_exporter::fakes
