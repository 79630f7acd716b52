#include "tests/fakes/identity/agent_socket.h"

#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "collectors/clients/spiffe/jwt_svid.h"
#include "collectors/clients/spiffe/x509_svid.h"
#include "collectors/clients/spire/rpc/workload.grpc.pb.h"
#include "collectors/clients/spire/workload_api.h"
#include "exporter/base/mutex.h"

namespace spire_exporter::fakes {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_seconds;

class AgentSocketTest : public testing::Test {
 protected:
  AgentSocketTest() {
    char pattern[] = "/tmp/fake_agent_XXXXXX";
    folder_ = mkdtemp(pattern);
    auto started = FakeAgentSocket::Start(folder_ + "/agent.sock");
    if (!started.ok()) throw std::runtime_error(started.error().ToString());
    fake_ = std::move(started).value();
    client_ =
        std::make_unique<spire::WorkloadApi>(spire::Channel::ToSocket(fake_->address()).value());
  }
  ~AgentSocketTest() override {
    fake_.reset();
    std::filesystem::remove_all(folder_);
  }

  spire::Call Soon(Duration timeout = seconds(20)) const {
    return {Deadline::After(clock_, timeout), {}, clock_};
  }
  void ServeOne(seconds ttl = minutes(4)) {
    fake_->Serve(
        WorkloadAnswer::Of(authority_, {authority_.Sign(authority_.Id("web"), now_, ttl)}));
  }

  const RealClock clock_;
  const sys_seconds now_ = std::chrono::floor<seconds>(clock_.System());
  const Authority authority_{{.now = now_}};
  std::string folder_;
  std::unique_ptr<FakeAgentSocket> fake_;
  std::unique_ptr<spire::WorkloadApi> client_;
};

// What a watching client was given, for a test to wait for.
class Watched {
 public:
  explicit Watched(const spire::WorkloadApi& client, const Clock& clock)
      : thread_([this, &client, &clock](std::stop_token stop) {
          client.WatchX509Svid(stop, clock, [this](Result<spire::X509Context> message) {
            const std::lock_guard<std::mutex> lock(mutex_);
            if (message.ok()) {
              expiries_.push_back(
                  spiffe::ReadLeaf(message.value().svids[0].chain).value().not_after);
            } else {
              failures_.push_back(message.error().code);
            }
            changed_.notify_all();
          });
        }) {}
  bool AwaitExpiry(sys_seconds expiry) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, seconds(20), [this, expiry] {
      return !expiries_.empty() && expiries_.back() == expiry;
    });
  }
  bool AwaitFailure(Code code) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(
        lock, seconds(20), [this, code] { return !failures_.empty() && failures_.back() == code; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<sys_seconds> expiries_;
  std::vector<Code> failures_;
  std::jthread thread_;
};

TEST_F(AgentSocketTest, ServesWhatVerifiesAgainstItsBundle) {
  ServeOne();
  const auto context = client_->FetchX509Svid(Soon());
  ASSERT_TRUE(context.ok()) << context.error().ToString();
  const spire::X509Svid& svid = context.value().svids.at(0);
  EXPECT_EQ(svid.spiffe_id, "spiffe://example.org/web");
  const auto chain = spiffe::SplitCertificates(svid.chain);
  const auto roots = spiffe::SplitCertificates(svid.bundle);
  EXPECT_EQ(spiffe::VerifyX509Svid(chain.value(), roots.value(), clock_.System()),
            spiffe::Verdict::kGood);
  EXPECT_EQ(fake_->calls(AgentMethod::kX509Svid), 1U);
}

TEST_F(AgentSocketTest, WithoutAnEntryNobodyGetsAnything) {
  const auto context = client_->FetchX509Svid(Soon());
  ASSERT_FALSE(context.ok());
  EXPECT_EQ(context.error().code, Code::kPermissionDenied);
  EXPECT_THAT(context.error().what, testing::HasSubstr("no identity issued"));
  fake_->SignWith(authority_, clock_, minutes(2));
  EXPECT_EQ(client_->FetchJwtSvid("probe", "", Soon()).error().code, Code::kPermissionDenied);
}

TEST_F(AgentSocketTest, SignsATokenForEachEntryOrForTheOneNamed) {
  fake_->Serve(
      WorkloadAnswer::Of(authority_, {authority_.Sign(authority_.Id("web"), now_, minutes(4)),
                                      authority_.Sign(authority_.Id("api"), now_, minutes(4))}));
  EXPECT_EQ(client_->FetchJwtSvid("probe", "", Soon()).error().code, Code::kUnavailable);
  fake_->SignWith(authority_, clock_, minutes(2));
  EXPECT_EQ(client_->FetchJwtSvid("probe-1", "", Soon()).value().size(), 2U);
  const auto one = client_->FetchJwtSvid("probe-2", authority_.Id("api"), Soon());
  ASSERT_EQ(one.value().size(), 1U);
  EXPECT_EQ(one.value()[0].spiffe_id, authority_.Id("api"));
  const auto bundles = client_->FetchJwtBundles(Soon());
  EXPECT_EQ(spiffe::VerifyJwtSvid(one.value()[0].token, bundles.value().at("spiffe://example.org"),
                                  "probe-2", clock_.System()),
            spiffe::Verdict::kGood);
  EXPECT_THAT(fake_->audiences(), testing::ElementsAre("probe", "probe-1", "probe-2"));
}

TEST_F(AgentSocketTest, ServesBundles) {
  ServeOne();
  EXPECT_EQ(client_->FetchX509Bundles(Soon()).value().at("spiffe://example.org"),
            authority_.root());
}

TEST_F(AgentSocketTest, PushesRenewalsToWhoeverStreams) {
  ServeOne(minutes(4));
  Watched watched(*client_, clock_);
  EXPECT_TRUE(watched.AwaitExpiry(now_ + minutes(4)));
  EXPECT_EQ(fake_->streams(), 1U);
  ServeOne(minutes(5));
  EXPECT_TRUE(watched.AwaitExpiry(now_ + minutes(5)));
  EXPECT_EQ(fake_->calls(AgentMethod::kX509Svid), 1U);
}

TEST_F(AgentSocketTest, FailsStreamsThatAreOpen) {
  ServeOne();
  Watched watched(*client_, clock_);
  ASSERT_TRUE(watched.AwaitExpiry(now_ + minutes(4)));
  fake_->Fail(Code::kUnavailable, "the agent goes");
  EXPECT_TRUE(watched.AwaitFailure(Code::kUnavailable));
  fake_->Fail(Code::kOk);
  ServeOne(minutes(6));
  EXPECT_TRUE(watched.AwaitExpiry(now_ + minutes(6)));
}

TEST_F(AgentSocketTest, AStreamDiesInMidMessageAndComesBack) {
  ServeOne();
  Watched watched(*client_, clock_);
  ASSERT_TRUE(watched.AwaitExpiry(now_ + minutes(4)));
  fake_->DieMidMessage();
  ServeOne(minutes(5));
  EXPECT_TRUE(watched.AwaitFailure(Code::kUnavailable));
  EXPECT_TRUE(watched.AwaitExpiry(now_ + minutes(5)));
  EXPECT_EQ(fake_->calls(AgentMethod::kX509Svid), 2U);
}

TEST_F(AgentSocketTest, TheFirstMessageCanBeCutToo) {
  ServeOne();
  fake_->DieMidMessage();
  EXPECT_EQ(client_->FetchX509Svid(Soon()).error().code, Code::kUnavailable);
  EXPECT_TRUE(client_->FetchX509Svid(Soon()).ok());
}

TEST_F(AgentSocketTest, ServesWhatHasExpiredAndWhatNobodyTrusts) {
  const Authority stranger({.now = now_});
  WorkloadAnswer answer = WorkloadAnswer::Of(
      authority_, {authority_.Sign(authority_.Id("web"), now_ - minutes(9), minutes(4)),
                   stranger.Sign(authority_.Id("api"), now_, minutes(4))});
  fake_->Serve(answer);
  const auto context = client_->FetchX509Svid(Soon());
  ASSERT_EQ(context.value().svids.size(), 2U);
  const auto verdict = [&](size_t index) {
    const auto chain = spiffe::SplitCertificates(context.value().svids[index].chain);
    const auto roots = spiffe::SplitCertificates(context.value().svids[index].bundle);
    return spiffe::VerifyX509Svid(chain.value(), roots.value(), clock_.System());
  };
  EXPECT_EQ(verdict(0), spiffe::Verdict::kExpired);
  EXPECT_EQ(verdict(1), spiffe::Verdict::kUntrusted);
}

TEST_F(AgentSocketTest, HangsUntilTheDeadlineAndThenAnswers) {
  ServeOne();
  fake_->Hang(true);
  EXPECT_EQ(client_->FetchX509Svid(Soon(milliseconds(200))).error().code, Code::kDeadlineExceeded);
  fake_->Hang(false);
  EXPECT_TRUE(client_->FetchX509Svid(Soon()).ok());
}

TEST_F(AgentSocketTest, RefusesResetsAndSaysNothing) {
  ServeOne();
  ASSERT_TRUE(fake_->wire().Fail(WireFault::kRefuse).ok());
  EXPECT_EQ(client_->FetchX509Svid(Soon()).error().code, Code::kUnavailable);
  ASSERT_TRUE(fake_->wire().Fail(WireFault::kReset).ok());
  EXPECT_EQ(client_->FetchX509Svid(Soon()).error().code, Code::kUnavailable);
  for (const WireFault fault : {WireFault::kAcceptOnly, WireFault::kDrip}) {
    ASSERT_TRUE(fake_->wire().Fail(fault).ok());
    EXPECT_EQ(client_->FetchX509Svid(Soon(milliseconds(300))).error().code,
              Code::kDeadlineExceeded);
  }
  ASSERT_TRUE(fake_->wire().Fail(WireFault::kNone).ok());
  EXPECT_TRUE(client_->FetchX509Svid(Soon()).ok());
}

TEST_F(AgentSocketTest, LongMessagesAreToldAsSuch) {
  WorkloadAnswer answer =
      WorkloadAnswer::Of(authority_, {authority_.Sign(authority_.Id("web"), now_, minutes(4))});
  answer.padding = size_t{100} << 20;
  fake_->Serve(std::move(answer));
  EXPECT_EQ(client_->FetchX509Svid(Soon()).error().code, Code::kResourceExhausted);
}

TEST_F(AgentSocketTest, CallersWithoutTheHeaderAreRefused) {
  ServeOne();
  const auto stub = SpiffeWorkloadAPI::NewStub(
      grpc::CreateChannel("unix:" + folder_ + "/agent.sock", grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  wire::JwtSvidRequest request;
  request.add_audience("probe");
  wire::JwtSvidResponse response;
  const grpc::Status status = stub->FetchJWTSVID(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "security header missing from request");
  EXPECT_EQ(fake_->unmeant(), 1U);
  EXPECT_EQ(fake_->calls(AgentMethod::kJwtSvid), 0U);
}

}  // namespace
}  // namespace spire_exporter::fakes
