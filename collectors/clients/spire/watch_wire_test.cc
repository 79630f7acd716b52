#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <thread>

#include "collectors/clients/spire/test_rpc_server.h"
#include "collectors/clients/spire/workload_api.h"
#include "exporter/base/unique_fd.h"

namespace spire_exporter::spire {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Behind a unix socket, says its piece to whoever has begun to speak HTTP/2, and waits for its end.
class RawAgent {
 public:
  RawAgent(const std::string& path, std::function<void(int fd)> talk) : talk_(std::move(talk)) {
    listener_ = UniqueFd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        listen(listener_.get(), 4) != 0) {
      throw std::runtime_error("no listener");
    }
    thread_ = std::thread([this] {
      for (;;) {
        const UniqueFd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!fd.valid()) return;
        char preface[4096];
        if (recv(fd.get(), preface, sizeof preface, 0) > 0) talk_(fd.get());
      }
    });
  }
  ~RawAgent() {
    shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }

 private:
  const std::function<void(int fd)> talk_;
  UniqueFd listener_;
  std::thread thread_;
};

void Send(int fd, const std::string& bytes) {
  send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

const std::string kSettings("\0\0\0\4\0\0\0\0\0", 9);
// `:status 200`, `content-type: application/grpc`, of stream 1.
const std::string kHeaders =
    std::string("\0\0\x14\1\4\0\0\0\1", 9) + "\x88\x0f\x10\x10" + "application/grpc";
// A message of so many bytes begins, of which four are there.
std::string MessageOf(const std::string& length) {
  return std::string("\0\0\x09\0\0\0\0\0\1\0", 10) + length + "mmmm";
}

class WatchWireTest : public testing::Test {
 protected:
  WatchWireTest() {
    char pattern[] = "/tmp/spire_watch_XXXXXX";
    folder_ = mkdtemp(pattern);
    socket_ = folder_ + "/agent.sock";
  }
  ~WatchWireTest() override { std::filesystem::remove_all(folder_); }

  Error FetchFrom(const std::function<void(int fd)>& talk) {
    std::filesystem::remove(socket_);
    const RawAgent agent(socket_, talk);
    const WorkloadApi api(Channel::ToSocket(socket_).value());
    return api.FetchX509Svid({Deadline::After(clock_, seconds(20)), {}, clock_}).error();
  }

  const RealClock clock_;
  std::string folder_, socket_;
};

TEST_F(WatchWireTest, AStreamThatDiesInMidMessageIsUnavailable) {
  const Error error = FetchFrom(
      [](int fd) { Send(fd, kSettings + kHeaders + MessageOf(std::string("\0\0\1\0", 4))); });
  EXPECT_EQ(error.code, Code::kUnavailable) << error.ToString();
}

TEST_F(WatchWireTest, AHundredMegabytesAreCutOffWhereTheyAreAnnounced) {
  std::atomic<size_t> sent{0};
  const Error error = FetchFrom([&](int fd) {
    const std::string frame = std::string("\0\x40\0\0\0\0\0\0\1", 9) + std::string(0x4000, 'm');
    Send(fd, kSettings + kHeaders + MessageOf("\x06\x40\xff\x04"));
    while (sent < 100'000'000 &&
           send(fd, frame.data(), frame.size(), MSG_NOSIGNAL) == ssize_t(frame.size())) {
      sent += frame.size();
    }
  });
  EXPECT_EQ(error.code, Code::kResourceExhausted) << error.ToString();
  EXPECT_LT(sent, 2'000'000U);  // what the socket's buffers hold
}

TEST_F(WatchWireTest, GarbageIsNoAnswer) {
  for (const std::string& garbage : {std::string("HTTP/1.1 400 Bad Request\r\n\r\n"),
                                     std::string(100'000, '\xff'), std::string(100'000, '\0')}) {
    const Error error = FetchFrom([&](int fd) { Send(fd, garbage); });
    EXPECT_EQ(error.code, Code::kDataLoss) << error.ToString();
  }
}

TEST_F(WatchWireTest, WatchesThroughRestartsAndRefusals) {
  const auto rpcs = [](const std::string& id, bool refuses) {
    TestRpcs made;
    made.x509_svid = [id, refuses](grpc::ServerContext* context, auto* writer) {
      if (refuses) return grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "no identity issued");
      wire::X509SvidResponse response;
      response.add_svids()->set_spiffe_id(id);
      writer->Write(response);
      writer->Write(response);
      while (!context->IsCancelled()) std::this_thread::yield();
      return grpc::Status::OK;
    };
    return made;
  };
  std::unique_ptr<TestRpcServer> server;
  std::stop_source stop;
  std::vector<std::string> seen;
  std::atomic<size_t> count{0};
  const WorkloadApi api(Channel::ToSocket(socket_).value());
  std::thread watcher([&] {
    api.WatchX509Svid(stop.get_token(), clock_, [&](Result<X509Context> context) {
      const std::string what =
          context.ok() ? context->svids[0].spiffe_id : std::string(CodeName(context.error().code));
      if (seen.empty() || seen.back() != what) seen.push_back(what);
      count = seen.size();
    });
  });
  const auto wait_for = [&](size_t wanted) {
    const SteadyTime latest = clock_.Steady() + seconds(30);
    while (count < wanted && clock_.Steady() < latest) std::this_thread::yield();
    EXPECT_GE(count, wanted);
  };
  wait_for(1);
  server = TestRpcServer::Start(rpcs("first", false), socket_);
  wait_for(2);
  server.reset();
  wait_for(3);
  server = TestRpcServer::Start(rpcs("", true), socket_);
  wait_for(4);
  server.reset();
  server = TestRpcServer::Start(rpcs("second", false), socket_);
  wait_for(5);
  stop.request_stop();
  watcher.join();
  EXPECT_EQ(seen.front(), "unavailable");
  EXPECT_EQ(seen[1], "first");
  EXPECT_EQ(seen[2], "unavailable");
  EXPECT_EQ(seen[3], "permission_denied");
  EXPECT_EQ(seen.back(), "second");
}

TEST_F(WatchWireTest, EndsWhileItWaitsToTryAgain) {
  std::stop_source stop;
  const WorkloadApi api(Channel::ToSocket(socket_).value());
  const SteadyTime start = clock_.Steady();
  int failures = 0;
  api.WatchX509Svid(stop.get_token(), clock_, [&](const Result<X509Context>&) {
    if (++failures == 3) stop.request_stop();
  });
  EXPECT_EQ(failures, 3);
  EXPECT_LT(clock_.Steady() - start, seconds(10));
  EXPECT_GE(clock_.Steady() - start, milliseconds(100));  // it backed off
}

}  // namespace
}  // namespace spire_exporter::spire
