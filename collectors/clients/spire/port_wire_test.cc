#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <fstream>
#include <thread>

#include "collectors/clients/spire/server_port.h"
#include "collectors/clients/spire/test_rpc_server.h"
#include "collectors/clients/spire/test_tls_server.h"
#include "exporter/base/unique_fd.h"
#include "exporter/tls/test_certificates.h"
#include "tests/fakes/hung_server.h"

namespace spire_exporter::spire {
namespace {

using fakes::HangWay;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::string Der(const TestCertificate& made) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(made.certificate.get(), &der);
  std::string out(reinterpret_cast<char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return out;
}

std::string KeyDer(const TestCertificate& made) {
  unsigned char* der = nullptr;
  const int size = i2d_PrivateKey(made.key.get(), &der);
  std::string out(reinterpret_cast<char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return out;
}

class PortWireTest : public testing::Test {
 protected:
  void Start(TestRpcs rpcs, size_t intermediates = 1) {
    std::vector<std::string> chain = {Der(leaf_)};
    for (size_t i = 0; i < intermediates; ++i) chain.push_back(Der(authority_));
    rpc_ = TestRpcServer::Start(std::move(rpcs), "");
    tls_ = TestTlsServer::Start({chain, KeyDer(leaf_)}, [this](int fd) { rpc_->Serve(fd); });
  }
  Call For(Duration timeout, std::stop_token stop = {}) const {
    return {Deadline::After(clock_, timeout), std::move(stop), clock_};
  }
  Call Soon() const { return For(seconds(20)); }

  const RealClock clock_;
  const TestCertificate authority_ = MakeCertificate("spire", "", nullptr);
  const TestCertificate leaf_ =
      MakeCertificate("server", "URI:spiffe://example.org/spire/server", &authority_);
  std::unique_ptr<TestRpcServer> rpc_;
  std::unique_ptr<TestTlsServer> tls_;
};

TEST_F(PortWireTest, ShakesHands) {
  Start({});
  const auto outcome = ShakeHands(tls_->Address(), Soon());
  ASSERT_TRUE(outcome.result.ok()) << outcome.result.error().ToString();
  EXPECT_EQ(outcome.ended, ServerStage::kDone);
  EXPECT_THAT(outcome.result->chain, testing::ElementsAre(Der(leaf_), Der(authority_)));
  EXPECT_EQ(outcome.result->protocol, "TLSv1.3");
  EXPECT_EQ(outcome.result->alpn, "h2");
  EXPECT_GT(outcome.result->handshake, Duration::zero());
}

TEST_F(PortWireTest, BoundsTheChain) {
  Start({}, 16);
  auto outcome = ShakeHands(tls_->Address(), Soon());
  EXPECT_EQ(outcome.ended, ServerStage::kTls);
  EXPECT_EQ(outcome.result.error().code, Code::kResourceExhausted);
  Start({}, 1000);  // some 300 KiB
  outcome = ShakeHands(tls_->Address(), Soon());
  EXPECT_EQ(outcome.result.error().code, Code::kResourceExhausted);
}

TEST_F(PortWireTest, ReadsTheBundle) {
  TestRpcs rpcs;
  rpcs.bundle = [this](auto*, auto&, wire::BundleMessage* response) {
    response->set_trust_domain("example.org");
    response->add_x509_authorities()->set_asn1(Der(authority_));
    response->add_x509_authorities()->set_asn1("broken");
    response->mutable_x509_authorities(0)->set_tainted(true);
    auto* key = response->add_jwt_authorities();
    key->set_key_id("k1");
    key->set_expires_at(1'800'000'000);
    response->set_refresh_hint(300);
    response->set_sequence_number(7);
    return grpc::Status::OK;
  };
  Start(std::move(rpcs));
  for (int i = 0; i < 3; ++i) {
    const auto served = GetBundle(tls_->Address(), Soon());
    ASSERT_TRUE(served.ok()) << served.error().ToString();
    EXPECT_THAT(served->certificates, testing::ElementsAre(Der(authority_), "broken"));
    EXPECT_THAT(served->chain, testing::ElementsAre(Der(leaf_), Der(authority_)));
    EXPECT_EQ(served->bundle.trust_domain, "example.org");
    EXPECT_EQ(served->bundle.sequence_number, 7U);
    EXPECT_EQ(served->bundle.refresh_hint, seconds(300));
    EXPECT_EQ(served->bundle.unreadable, 1U);
    ASSERT_EQ(served->bundle.authorities.size(), 2U);
    EXPECT_TRUE(served->bundle.authorities[0].tainted);
    EXPECT_EQ(served->bundle.authorities[1].id, "k1");
    EXPECT_EQ(served->bundle.authorities[1].not_after, UnixTime(seconds(1'800'000'000)));
  }
}

TEST_F(PortWireTest, RefusesACompressedAnswer) {
  TestRpcs rpcs;
  rpcs.bundle = [](grpc::ServerContext* context, auto&, wire::BundleMessage* response) {
    context->set_compression_algorithm(GRPC_COMPRESS_GZIP);
    response->set_trust_domain(std::string(200, 'a'));
    return grpc::Status::OK;
  };
  Start(std::move(rpcs));
  const auto served = GetBundle(tls_->Address(), Soon());
  ASSERT_FALSE(served.ok());
  EXPECT_EQ(served.error().code, Code::kResourceExhausted);
}

TEST_F(PortWireTest, KeepsTheCodeOfARefusal) {
  TestRpcs rpcs;
  rpcs.bundle = [](auto*, auto&, auto*) {
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "database is down");
  };
  Start(std::move(rpcs));
  const auto served = GetBundle(tls_->Address(), Soon());
  EXPECT_EQ(served.error().code, Code::kUnavailable);
  EXPECT_THAT(served.error().what, testing::HasSubstr("database is down"));
}

TEST_F(PortWireTest, EndsByTheDeadlineAndAtOnceWhenStopped) {
  TestRpcs rpcs;
  std::stop_source stop;
  std::atomic<bool> stops{false};
  rpcs.bundle = [&](grpc::ServerContext* context, auto&, auto*) {
    if (stops) stop.request_stop();
    while (!context->IsCancelled()) std::this_thread::yield();
    return grpc::Status::OK;
  };
  Start(std::move(rpcs));
  const SteadyTime start = clock_.Steady();
  EXPECT_EQ(GetBundle(tls_->Address(), For(milliseconds(200))).error().code,
            Code::kDeadlineExceeded);
  stops = true;
  EXPECT_EQ(GetBundle(tls_->Address(), For(seconds(60), stop.get_token())).error().code,
            Code::kCancelled);
  EXPECT_LT(clock_.Steady() - start, seconds(10));
}

// VmHWM may be set back by who owns the process.
size_t PeakMiB() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word && word != "VmHWM:") {
  }
  size_t kib = 0;
  status >> kib;
  return kib / 1024;
}

// A server that says what it is told to, once it has read what was sent first.
class RawPeer {
 public:
  explicit RawPeer(std::function<void(int fd)> talk) : talk_(std::move(talk)) {
    listener_ = UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    address_ = LoopbackAddress(0);
    auto* const raw = reinterpret_cast<sockaddr*>(&address_.storage);
    if (bind(listener_.get(), raw, address_.size) != 0 || listen(listener_.get(), 4) != 0 ||
        getsockname(listener_.get(), raw, &address_.size) != 0) {
      throw std::runtime_error("no listener");
    }
    thread_ = std::thread([this] {
      for (;;) {
        const UniqueFd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!fd.valid()) return;
        char hello[512];
        if (recv(fd.get(), hello, sizeof hello, 0) > 0) talk_(fd.get());
      }
    });
  }
  ~RawPeer() {
    shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  const SocketAddress& address() const { return address_; }

 private:
  const std::function<void(int fd)> talk_;
  UniqueFd listener_;
  SocketAddress address_;
  std::thread thread_;
};

void ExpectBoth(const SocketAddress& address, const Call& call, ServerStage stage, Code code) {
  const auto outcome = ShakeHands(address, call);
  EXPECT_EQ(outcome.ended, stage);
  EXPECT_EQ(outcome.result.error().code, code) << outcome.result.error().ToString();
  EXPECT_EQ(GetBundle(address, call).error().code, code);
}

TEST_F(PortWireTest, SaysWhatAPeerThatIsNoServerDoes) {
  const RawPeer garbage([](int fd) {
    const std::string text = "HTTP/1.1 400 Bad Request\r\n\r\n" + std::string(2000, 'x');
    send(fd, text.data(), text.size(), MSG_NOSIGNAL);
  });
  ExpectBoth(garbage.address(), Soon(), ServerStage::kTls, Code::kDataLoss);

  const RawPeer closes([](int) {});
  ExpectBoth(closes.address(), Soon(), ServerStage::kTls, Code::kUnavailable);

  const RawPeer resets([](int fd) {
    const linger at_once = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  });
  ExpectBoth(resets.address(), Soon(), ServerStage::kTls, Code::kUnavailable);

  const RawPeer refuses([](int fd) {  // handshake_failure
    const unsigned char alert[] = {21, 3, 3, 0, 2, 2, 40};
    send(fd, alert, sizeof alert, MSG_NOSIGNAL);
  });
  ExpectBoth(refuses.address(), Soon(), ServerStage::kTls, Code::kUnavailable);

  SocketAddress nobody;
  {
    const RawPeer gone([](int) {});
    nobody = gone.address();
  }
  ExpectBoth(nobody, Soon(), ServerStage::kConnect, Code::kUnavailable);
}

TEST_F(PortWireTest, EndsByTheDeadlineWithAPeerThatHangs) {
  for (const HangWay way : {HangWay::kAcceptOnly, HangWay::kDrip}) {
    const auto hung = fakes::HungServer::Start("127.0.0.1:0", way, milliseconds(20));
    ASSERT_TRUE(hung.ok());
    const auto outcome = ShakeHands(LoopbackAddress(hung.value()->port()), For(milliseconds(300)));
    EXPECT_EQ(outcome.ended, ServerStage::kTls);
    EXPECT_FALSE(outcome.result.ok());
  }
  std::stop_source stop;
  const auto hung = fakes::HungServer::Start("127.0.0.1:0", HangWay::kAcceptOnly);
  ASSERT_TRUE(hung.ok());
  std::thread stopper([&] {
    while (hung.value()->accepted() == 0) std::this_thread::yield();
    stop.request_stop();
  });
  EXPECT_EQ(GetBundle(LoopbackAddress(hung.value()->port()), For(seconds(60), stop.get_token()))
                .error()
                .code,
            Code::kCancelled);
  stopper.join();
}

TEST_F(PortWireTest, AHandshakeThatNeverEndsIsGivenUp) {
  // A server hello that announces 16 MiB, and records without end.
  const RawPeer endless([](int fd) {
    std::string record = {22, 3, 3, 0x40, 0};
    record += std::string({2, '\xff', '\xff', '\xff'}) + std::string(0x4000 - 4, 'x');
    for (int i = 0; i < 6400; ++i) {
      if (send(fd, record.data(), record.size(), MSG_NOSIGNAL) < 0) return;
    }
  });
  const size_t before = PeakMiB();
  const auto outcome = ShakeHands(endless.address(), Soon());
  EXPECT_EQ(outcome.ended, ServerStage::kTls);
  EXPECT_THAT(outcome.result.error().code,
              testing::AnyOf(Code::kResourceExhausted, Code::kDataLoss));
  EXPECT_LE(PeakMiB(), before + 4);
}

TEST_F(PortWireTest, GarbageBehindTlsEndsTheCall) {
  rpc_ = TestRpcServer::Start({}, "");
  UniqueFd open;  // so that nothing but the garbage can end the call
  tls_ = TestTlsServer::Start({{Der(leaf_)}, KeyDer(leaf_)}, [&open](int fd) {
    open = UniqueFd(fd);
    const std::string text(10'000, '\x7f');
    send(fd, text.data(), text.size(), MSG_NOSIGNAL);
  });
  const auto served = GetBundle(tls_->Address(), Soon());
  EXPECT_EQ(served.error().code, Code::kDataLoss) << served.error().ToString();
  tls_.reset();
}

TEST_F(PortWireTest, ALongAnswerIsRefused) {
  TestRpcs rpcs;
  std::atomic<size_t> mib{5};
  rpcs.bundle = [&](auto*, auto&, wire::BundleMessage* response) {
    response->set_trust_domain(std::string(mib << 20, 'a'));
    return grpc::Status::OK;
  };
  Start(std::move(rpcs));
  EXPECT_EQ(GetBundle(tls_->Address(), Soon()).error().code, Code::kResourceExhausted);
  mib = 100;
  EXPECT_EQ(GetBundle(tls_->Address(), Soon()).error().code, Code::kResourceExhausted);
  mib = 1;  // of which none can be a record
  EXPECT_EQ(GetBundle(tls_->Address(), Soon()).error().code, Code::kResourceExhausted);
}

TEST(ServerStageTest, HasNamesForLabels) {
  EXPECT_EQ(ServerStageName(ServerStage::kName), "name");
  EXPECT_EQ(ServerStageName(ServerStage::kConnect), "connect");
  EXPECT_EQ(ServerStageName(ServerStage::kTls), "tls");
  EXPECT_EQ(ServerStageName(ServerStage::kBundle), "bundle");
  EXPECT_EQ(ServerStageName(ServerStage::kDone), "done");
}

}  // namespace
}  // namespace spire_exporter::spire
