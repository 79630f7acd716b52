#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "collectors/clients/spire/agent_admin.h"
#include "collectors/clients/spire/server_socket.h"
#include "collectors/clients/spire/test_rpc_server.h"
#include "collectors/clients/spire/workload_api.h"
#include "tests/fakes/hung_server.h"

namespace spire_exporter::spire {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr size_t kMiB = size_t{1} << 20;

// An X509Context with one SVID whose bundle has so many bytes.
wire::X509SvidResponse AnSvid(size_t bundle_bytes = 1) {
  wire::X509SvidResponse response;
  auto* svid = response.add_svids();
  svid->set_spiffe_id("spiffe://example.org/canary");
  svid->set_x509_svid("chain");
  svid->set_x509_svid_key("key");
  svid->set_bundle(std::string(bundle_bytes, 'b'));
  svid->set_hint("internal");
  auto* partner = response.add_federated_bundles();
  partner->set_trust_domain("spiffe://partner.test");
  partner->set_bundle("roots");
  return response;
}

class SocketWireTest : public testing::Test {
 protected:
  SocketWireTest() {
    char pattern[] = "/tmp/spire_socket_XXXXXX";
    folder_ = mkdtemp(pattern);
    socket_ = folder_ + "/agent.sock";
  }
  ~SocketWireTest() override {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::shared_ptr<Channel> Start(TestRpcs rpcs) {
    server_ = TestRpcServer::Start(std::move(rpcs), socket_);
    return Channel::ToSocket("unix://" + socket_).value();
  }
  Call For(Duration timeout, std::stop_token stop = {}) const {
    return {Deadline::After(clock_, timeout), std::move(stop), clock_};
  }
  Call Soon() const { return For(seconds(20)); }

  // Until the server's handlers may return: those that wait do it here.
  void WaitForEnd(grpc::ServerContext* context) {
    std::unique_lock lock(mutex_);
    while (!context->IsCancelled()) wake_.wait_for(lock, milliseconds(10));
  }

  const RealClock clock_;
  std::string folder_, socket_;
  std::unique_ptr<TestRpcServer> server_;
  std::mutex mutex_;
  std::condition_variable wake_;
};

TEST_F(SocketWireTest, TakesNothingButSocketAddresses) {
  for (const char* good : {"unix:///run/a.sock", "unix:/run/a.sock", "/run/a.sock"}) {
    EXPECT_TRUE(Channel::ToSocket(good).ok()) << good;
  }
  for (const std::string& bad :
       {std::string(), std::string("a.sock"), std::string("unix://a.sock"),
        std::string("tcp://127.0.0.1:1"), "/" + std::string(108, 'a'), std::string("/a\0b", 4)}) {
    EXPECT_EQ(Channel::ToSocket(bad).error().code, Code::kInvalidArgument) << bad;
  }
}

TEST_F(SocketWireTest, FetchesAnX509Svid) {
  TestRpcs rpcs;
  rpcs.x509_svid = [this](grpc::ServerContext* context, auto* writer) {
    writer->Write(AnSvid());
    WaitForEnd(context);  // as an agent does: the stream stays open
    return grpc::Status::OK;
  };
  const WorkloadApi api(Start(std::move(rpcs)));
  for (int i = 0; i < 3; ++i) {
    const auto context = api.FetchX509Svid(Soon());
    ASSERT_TRUE(context.ok()) << context.error().ToString();
    ASSERT_EQ(context->svids.size(), 1U);
    EXPECT_EQ(context->svids[0].spiffe_id, "spiffe://example.org/canary");
    EXPECT_EQ(context->svids[0].chain, "chain");
    EXPECT_EQ(context->svids[0].key, "key");
    EXPECT_EQ(context->svids[0].bundle, "b");
    EXPECT_EQ(context->svids[0].hint, "internal");
    EXPECT_THAT(context->federated_bundles,
                testing::ElementsAre(testing::Pair("spiffe://partner.test", "roots")));
  }
}

TEST_F(SocketWireTest, FetchesBundlesAndTokens) {
  TestRpcs rpcs;
  rpcs.x509_bundles = [](auto*, auto* writer) {
    wire::X509BundlesResponse response;
    response.add_bundles()->set_trust_domain("spiffe://example.org");
    writer->Write(response);
    return grpc::Status::OK;
  };
  rpcs.jwt_bundles = [](auto*, auto* writer) {
    wire::JwtBundlesResponse response;
    response.add_bundles()->set_bundle("{}");
    writer->Write(response);
    return grpc::Status::OK;
  };
  rpcs.jwt_svid = [](auto*, const wire::JwtSvidRequest& request, wire::JwtSvidResponse* response) {
    auto* svid = response->add_svids();
    svid->set_svid(request.audience(0) + " for " + request.spiffe_id());
    return grpc::Status::OK;
  };
  const WorkloadApi api(Start(std::move(rpcs)));
  EXPECT_THAT(api.FetchX509Bundles(Soon()).value(),
              testing::ElementsAre(testing::Pair("spiffe://example.org", "")));
  EXPECT_THAT(api.FetchJwtBundles(Soon()).value(), testing::ElementsAre(testing::Pair("", "{}")));
  const auto tokens = api.FetchJwtSvid("ring-3", "spiffe://example.org/canary", Soon());
  ASSERT_TRUE(tokens.ok()) << tokens.error().ToString();
  EXPECT_EQ(tokens->at(0).token, "ring-3 for spiffe://example.org/canary");
}

TEST_F(SocketWireTest, KeepsTheCodeOfARefusalAndNoNames) {
  TestRpcs rpcs;
  rpcs.x509_svid = [](auto*, auto*) {
    return grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "no identity issued");
  };
  rpcs.jwt_svid = [](auto*, auto&, auto*) {
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "not for spiffe://example.org/canary");
  };
  rpcs.x509_bundles = [](auto*, auto*) { return grpc::Status(grpc::StatusCode::ABORTED, ""); };
  rpcs.jwt_bundles = [](auto*, auto*) { return grpc::Status(grpc::StatusCode::CANCELLED, ""); };
  const WorkloadApi api(Start(std::move(rpcs)));
  const auto denied = api.FetchX509Svid(Soon());
  EXPECT_EQ(denied.error().code, Code::kPermissionDenied);
  EXPECT_THAT(denied.error().what, testing::HasSubstr("no identity issued"));
  const auto named = api.FetchJwtSvid("a", "", Soon());
  EXPECT_EQ(named.error().code, Code::kUnavailable);
  EXPECT_THAT(named.error().what, testing::Not(testing::HasSubstr("canary")));
  EXPECT_EQ(api.FetchX509Bundles(Soon()).error().code, Code::kAborted);
  EXPECT_EQ(api.FetchJwtBundles(Soon()).error().code, Code::kUnavailable);
}

TEST_F(SocketWireTest, KnowsAnAnswerThatCannotBe) {
  TestRpcs rpcs;
  rpcs.x509_svid = [](auto*, auto* writer) {
    writer->Write(wire::X509SvidResponse());
    return grpc::Status::OK;
  };
  rpcs.x509_bundles = [](auto*, auto*) { return grpc::Status::OK; };
  rpcs.jwt_svid = [](auto*, auto&, auto*) { return grpc::Status::OK; };
  rpcs.jwt_bundles = [](auto*, auto* writer) {  // more than any agent has
    wire::JwtBundlesResponse response;
    for (int i = 0; i < 1001; ++i) response.add_bundles();
    writer->Write(response);
    return grpc::Status::OK;
  };
  const WorkloadApi api(Start(std::move(rpcs)));
  EXPECT_EQ(api.FetchX509Svid(Soon()).error().code, Code::kDataLoss);
  EXPECT_EQ(api.FetchX509Bundles(Soon()).error().code, Code::kDataLoss);
  EXPECT_EQ(api.FetchJwtSvid("a", "", Soon()).error().code, Code::kDataLoss);
  EXPECT_EQ(api.FetchJwtBundles(Soon()).error().code, Code::kResourceExhausted);
}

TEST_F(SocketWireTest, RefusesAMessageOfMoreThanFourMiB) {
  TestRpcs rpcs;
  std::atomic<size_t> size{0};
  rpcs.x509_svid = [&](auto*, auto* writer) {
    writer->Write(AnSvid(size));
    return grpc::Status::OK;
  };
  const WorkloadApi api(Start(std::move(rpcs)));
  size = 4 * kMiB - 200;
  const auto long_one = api.FetchX509Svid(Soon());
  ASSERT_TRUE(long_one.ok()) << long_one.error().ToString();
  size = 5 * kMiB;
  EXPECT_EQ(api.FetchX509Svid(Soon()).error().code, Code::kResourceExhausted);
  size = 1;
  EXPECT_TRUE(api.FetchX509Svid(Soon()).ok());
}

TEST_F(SocketWireTest, EndsByTheDeadline) {
  TestRpcs rpcs;
  rpcs.x509_svid = [this](grpc::ServerContext* context, auto*) {
    WaitForEnd(context);
    return grpc::Status::OK;
  };
  rpcs.jwt_svid = [this](grpc::ServerContext* context, auto&, auto*) {
    WaitForEnd(context);
    return grpc::Status::OK;
  };
  const WorkloadApi api(Start(std::move(rpcs)));
  const SteadyTime start = clock_.Steady();
  EXPECT_EQ(api.FetchX509Svid(For(milliseconds(200))).error().code, Code::kDeadlineExceeded);
  EXPECT_EQ(api.FetchJwtSvid("a", "", For(milliseconds(200))).error().code,
            Code::kDeadlineExceeded);
  EXPECT_EQ(api.FetchX509Svid(For(seconds(0))).error().code, Code::kDeadlineExceeded);
  EXPECT_LT(clock_.Steady() - start, seconds(5));
  EXPECT_GE(clock_.Steady() - start, milliseconds(400));
}

TEST_F(SocketWireTest, EndsAtOnceWhenItIsStopped) {
  TestRpcs rpcs;
  std::stop_source stop;
  rpcs.x509_svid = [&](grpc::ServerContext* context, auto*) {
    stop.request_stop();
    WaitForEnd(context);
    return grpc::Status::OK;
  };
  const WorkloadApi api(Start(std::move(rpcs)));
  const SteadyTime start = clock_.Steady();
  EXPECT_EQ(api.FetchX509Svid(For(seconds(60), stop.get_token())).error().code, Code::kCancelled);
  EXPECT_EQ(api.FetchX509Svid(For(seconds(60), stop.get_token())).error().code, Code::kCancelled);
  EXPECT_LT(clock_.Steady() - start, seconds(10));
}

TEST_F(SocketWireTest, SaysSoWhenThereIsNoSocket) {
  const auto channel = Channel::ToSocket(socket_).value();
  const WorkloadApi api(channel);
  const auto none = api.FetchX509Svid(Soon());
  EXPECT_EQ(none.error().code, Code::kUnavailable);
  EXPECT_THAT(none.error().what, testing::HasSubstr("No such file"));
  std::ofstream(socket_) << "a plain file";
  EXPECT_EQ(api.FetchX509Svid(Soon()).error().code, Code::kUnavailable);
}

TEST_F(SocketWireTest, FindsASocketThatComesBackAtTheNextCall) {
  const auto rpcs = [] {
    TestRpcs made;
    made.agent_info = [](auto*, auto&, wire::AgentInfoResponse* response) {
      response->set_uptime(7);
      return grpc::Status::OK;
    };
    return made;
  };
  const AgentAdmin admin(Channel::ToSocket(socket_).value());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(admin.GetInfo(Soon()).error().code, Code::kUnavailable);
    Start(rpcs());
    EXPECT_TRUE(admin.GetInfo(Soon()).ok());
    EXPECT_TRUE(admin.GetInfo(Soon()).ok());
    server_->Stop();
    server_.reset();
  }
}

TEST_F(SocketWireTest, ReadsWhatAnAgentSaysOfItself) {
  TestRpcs rpcs;
  std::atomic<int> round{0};
  rpcs.agent_info = [&](auto*, auto&, wire::AgentInfoResponse* response) {
    response->set_svids_count(12);
    if (round == 1) return grpc::Status::OK;
    if (round == 2) return grpc::Status(grpc::StatusCode::INTERNAL, "does not verify");
    response->add_svid_chain()->set_expires_at(1'800'000'000);
    response->add_svid_chain()->set_expires_at(INT64_MAX);
    response->set_uptime(61);
    response->set_last_sync_success(1'799'999'000);
    response->set_cached_x509_svids_count(12);
    response->set_cached_svidstore_x509_svids_count(2);
    return grpc::Status::OK;
  };
  const AgentAdmin admin(Start(std::move(rpcs)));
  auto info = admin.GetInfo(Soon());
  ASSERT_TRUE(info.ok()) << info.error().ToString();
  EXPECT_THAT(info->svid_chain_expiry, testing::ElementsAre(UnixTime(seconds(1'800'000'000)),
                                                            UnixTime(seconds(253'402'300'799))));
  EXPECT_EQ(info->uptime, seconds(61));
  EXPECT_EQ(info->last_sync_success, UnixTime(seconds(1'799'999'000)));
  EXPECT_EQ(info->cached_x509_svids, 12U);
  EXPECT_EQ(info->cached_jwt_svids, 0U);
  EXPECT_EQ(info->cached_svidstore_svids, 2U);

  round = 1;  // an old one
  info = admin.GetInfo(Soon());
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->cached_x509_svids, 12U);
  EXPECT_FALSE(info->cached_jwt_svids.has_value());
  EXPECT_FALSE(info->cached_svidstore_svids.has_value());
  EXPECT_FALSE(info->last_sync_success.has_value());

  round = 2;
  EXPECT_EQ(admin.GetInfo(Soon()).error().code, Code::kInternal);
}

TEST_F(SocketWireTest, ReadsWhatAServerSaysOfItself) {
  TestRpcs rpcs;
  rpcs.health = [](auto*, auto&, wire::HealthResponse* response) {
    response->set_status(1);
    return grpc::Status::OK;
  };
  rpcs.x509_authorities = [](auto*, auto&, wire::AuthorityStates* response) {
    response->mutable_active()->set_authority_id("aa");
    response->mutable_active()->set_expires_at(1'800'000'000);
    response->mutable_active()->set_upstream_authority_subject_key_id("bb");
    response->mutable_old()->set_authority_id("cc");
    return grpc::Status::OK;
  };
  const ServerSocket server(Start(std::move(rpcs)));
  EXPECT_TRUE(server.Serving(Soon()).value());
  const auto x509 = server.Authorities(AuthorityType::kX509, Soon());
  ASSERT_TRUE(x509.ok()) << x509.error().ToString();
  EXPECT_EQ(x509->active->id, "aa");
  EXPECT_EQ(x509->active->upstream_id, "bb");
  EXPECT_EQ(x509->active->expires_at, UnixTime(seconds(1'800'000'000)));
  EXPECT_FALSE(x509->prepared.has_value());
  EXPECT_EQ(x509->old->id, "cc");
  EXPECT_EQ(server.Authorities(AuthorityType::kWit, Soon()).error().code, Code::kUnimplemented);
}

TEST_F(SocketWireTest, ReadsFederationByPages) {
  TestRpcs rpcs;
  std::atomic<int> calls{0};
  std::atomic<size_t> bundle_bytes{1};
  rpcs.relationships = [&](auto*, const wire::RelationshipsRequest& request,
                           wire::RelationshipsResponse* response) {
    ++calls;
    const int from = request.page_token().empty() ? 0 : std::stoi(request.page_token());
    const int to = std::min(from + request.page_size(), 600);
    for (int i = from; i < to; ++i) {
      auto* one = response->add_federation_relationships();
      one->set_trust_domain("td" + std::to_string(i));
      one->set_https_spiffe("");
      one->set_trust_domain_bundle(std::string(bundle_bytes, 'b'));
    }
    if (to < 600) response->set_next_page_token(std::to_string(to));
    return grpc::Status::OK;
  };
  const ServerSocket server(Start(std::move(rpcs)));
  const auto all = server.Federation(600, Soon());
  ASSERT_TRUE(all.ok()) << all.error().ToString();
  ASSERT_EQ(all->size(), 600U);
  EXPECT_EQ(all->back().trust_domain, "td599");
  EXPECT_TRUE(all->back().https_spiffe);
  EXPECT_TRUE(all->back().has_bundle);
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(server.Federation(599, Soon()).error().code, Code::kResourceExhausted);

  bundle_bytes = 20'000;  // 500 of them are more than a message may be
  EXPECT_EQ(server.Federation(600, Soon()).value().size(), 600U);
}

}  // namespace
}  // namespace spire_exporter::spire
