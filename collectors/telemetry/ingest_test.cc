// The listeners and the ingest thread with real sockets.
#include "collectors/telemetry/ingest.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "collectors/telemetry/listen_check.h"

namespace spire_exporter::telemetry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kPatience = seconds(20);

ListenAddress Address(const std::string& text) {
  Result<ListenAddress> address = ParseListenAddress(text);
  EXPECT_TRUE(address.ok()) << text;
  return std::move(address).value();
}

// A free port: bound by the kernel's choice and given back.
uint16_t FreePort(int family) {
  const UniqueFd fd(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const ListenAddress any = Address(family == AF_INET6 ? "udp://[::1]:0" : "udp://127.0.0.1:0");
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&any.storage), any.size), 0);
  sockaddr_storage bound = {};
  socklen_t size = sizeof(bound);
  EXPECT_EQ(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&bound), &size), 0);
  return ntohs(family == AF_INET6 ? reinterpret_cast<const sockaddr_in6*>(&bound)->sin6_port
                                  : reinterpret_cast<const sockaddr_in*>(&bound)->sin_port);
}

// A sender as SPIRE's client: connected, and connected anew after an error.
class Sender {
 public:
  explicit Sender(const std::string& address) : address_(Address(address)) {}

  bool Send(std::string_view bytes) {
    for (int attempt = 0; attempt < 2; ++attempt) {
      if (!fd_.valid()) {
        fd_.Reset(::socket(address_.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address_.storage),
                      address_.size) != 0) {
          fd_.Reset();
          return false;
        }
      }
      if (::send(fd_.get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size())) {
        return true;
      }
      fd_.Reset();
    }
    return false;
  }

 private:
  const ListenAddress address_;
  UniqueFd fd_;
};

class IngestTest : public testing::Test {
 protected:
  IngestTest() {
    std::string name = std::filesystem::temp_directory_path() / "ingest_test_XXXXXX";
    directory_ = ::mkdtemp(name.data());
    ingest_ = std::make_unique<Ingest>(clock_, logger_);
    EXPECT_TRUE(ingest_->Start().ok());
  }
  ~IngestTest() override {
    ingest_.reset();
    std::filesystem::remove_all(directory_);
  }

  void Listen(const std::vector<std::string>& addresses) {
    IngestOptions options;
    options.scrape = true;
    for (const std::string& address : addresses) options.listen.push_back(Address(address));
    ingest_->Configure(options);
  }
  std::shared_ptr<const Snapshot> Take() {
    return ingest_->Acquire(Deadline::After(clock_, kPatience));
  }
  double Value(std::string_view family, std::string_view listener, std::string_view reason = {}) {
    const std::shared_ptr<const Snapshot> snapshot = Take();
    if (snapshot == nullptr) return -1;
    for (const Family& each : snapshot->families) {
      if (each.description->name != family) continue;
      for (const Series& series : each.series) {
        if (series.labels->Get("listener") == listener && series.labels->Get("reason") == reason) {
          return series.value;
        }
      }
    }
    return -1;
  }
  double Up(const std::string& listener) {
    return Value("spire_exporter_statsd_listener_up", listener);
  }
  double Lines(const std::string& listener) {
    return Value("spire_exporter_statsd_lines_total", listener);
  }
  static uint64_t Observed(const Snapshot& snapshot) {
    uint64_t count = 0;
    for (const Family& family : snapshot.families) {
      for (const Series& series : family.series) {
        if (series.histogram != nullptr) count += series.histogram->count;
      }
    }
    return count;
  }
  bool Until(const std::function<bool()>& condition) {
    const Deadline deadline = Deadline::After(clock_, kPatience);
    while (!deadline.Passed(clock_)) {
      if (condition()) return true;
      std::this_thread::yield();
    }
    return false;
  }
  std::string SocketIn(const std::string& name) const { return "unixgram://" + PathOf(name); }
  std::string PathOf(const std::string& name) const { return directory_ + "/" + name; }

  RealClock clock_;
  NullLogger logger_;
  std::string directory_;
  std::unique_ptr<Ingest> ingest_;
};

TEST_F(IngestTest, ReadsSeveralListenersAtOnce) {
  const std::string v4 = "udp://127.0.0.1:" + std::to_string(FreePort(AF_INET));
  const std::string v6 = "udp://[::1]:" + std::to_string(FreePort(AF_INET6));
  const std::string file = SocketIn("statsd.sock");
  Listen({v4, v6, file});
  for (const std::string& address : {v4, v6, file}) {
    ASSERT_TRUE(Until([&] { return Up(address) == 1; })) << address;
    Sender sender(address);
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(sender.Send("a.x:1|c\na.y:1|c\n"));
    EXPECT_TRUE(Until([&] { return Lines(address) == 100; })) << address;
    EXPECT_EQ(Value("spire_exporter_statsd_datagrams_total", address), 50);
    EXPECT_EQ(Value("spire_exporter_statsd_kernel_dropped_datagrams_total", address), 0);
    EXPECT_EQ(Value("spire_exporter_statsd_rejected_lines_total", address, "malformed"), 0);
  }
}

TEST_F(IngestTest, ReadsDatagramsOf64KiBWholeAndTellsLongerOnes) {
  const std::string file = SocketIn("statsd.sock");
  Listen({file});
  ASSERT_TRUE(Until([&] { return Up(file) == 1; }));
  Sender sender(file);
  std::string datagram;
  while (datagram.size() + 8 <= DatagramBatch::kDatagramMax) datagram += "a.x:1|c\n";
  ASSERT_EQ(datagram.size(), DatagramBatch::kDatagramMax);
  ASSERT_TRUE(sender.Send(datagram));
  EXPECT_TRUE(Until([&] { return Lines(file) == 8192; }));
  EXPECT_EQ(Value("spire_exporter_statsd_truncated_datagrams_total", file), 0);
  ASSERT_TRUE(sender.Send("long.name" + datagram));
  EXPECT_TRUE(
      Until([&] { return Value("spire_exporter_statsd_truncated_datagrams_total", file) == 1; }));
  EXPECT_EQ(Value("spire_exporter_statsd_rejected_lines_total", file, "truncated"), 1);
}

TEST_F(IngestTest, KernelDropsAreExact) {
  // A socket with the smallest buffer and no reader.
  Result<BoundSocket> bound = BindDatagramSocket(Address("udp://127.0.0.1:0"), 0600);
  ASSERT_TRUE(bound.ok());
  const int least = 1;
  ASSERT_EQ(::setsockopt(bound->fd.get(), SOL_SOCKET, SO_RCVBUF, &least, sizeof(least)), 0);
  sockaddr_in at = {};
  socklen_t size = sizeof(at);
  ASSERT_EQ(::getsockname(bound->fd.get(), reinterpret_cast<sockaddr*>(&at), &size), 0);
  Sender sender("udp://127.0.0.1:" + std::to_string(ntohs(at.sin_port)));
  constexpr size_t kSent = 500;
  for (size_t i = 0; i < kSent; ++i) ASSERT_TRUE(sender.Send("a.x:1|c\n"));
  const std::optional<uint32_t> drops = KernelDrops(bound->fd.get());
  ASSERT_TRUE(drops.has_value());
  EXPECT_GT(*drops, 0u);
  DatagramBatch batch;
  size_t received = 0;
  for (;;) {
    const Result<size_t> count = batch.Receive(bound->fd.get());
    ASSERT_TRUE(count.ok());
    if (*count == 0) break;
    received += *count;
  }
  EXPECT_EQ(received + *drops, kSent);
}

TEST_F(IngestTest, TakesOverAStaleSocketFileAndSetsItsRights) {
  const std::string path = PathOf("statsd.sock");
  const std::string file = "unixgram://" + path;
  {
    // As a killed process leaves it.
    const UniqueFd dead(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const ListenAddress address = Address(file);
    ASSERT_EQ(::bind(dead.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size),
              0);
  }
  ASSERT_TRUE(std::filesystem::exists(path));
  EXPECT_TRUE(CheckListen(Address(file)).good);
  Listen({file});
  EXPECT_TRUE(Until([&] { return Up(file) == 1; }));
  struct stat there = {};
  ASSERT_EQ(::stat(path.c_str(), &there), 0);
  EXPECT_EQ(there.st_mode & 0777, 0660u);
  EXPECT_TRUE(Sender(file).Send("a.x:1|c"));
  EXPECT_TRUE(CheckListen(Address(file)).good) << "it is this program that listens";
  ingest_.reset();
  EXPECT_FALSE(std::filesystem::exists(path)) << "left behind";
}

TEST_F(IngestTest, LeavesWhatIsAnothersAlone) {
  const std::string path = PathOf("statsd.sock");
  const std::string file = "unixgram://" + path;
  const UniqueFd plain(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  ASSERT_TRUE(plain.valid());
  Listen({file});
  EXPECT_EQ(Up(file), 0);
  EXPECT_FALSE(CheckListen(Address(file)).good);
  ASSERT_TRUE(std::filesystem::is_regular_file(path));
  ASSERT_EQ(::unlink(path.c_str()), 0);
  EXPECT_TRUE(Until([&] { return Up(file) == 1; }));

  // A second exporter at the same place waits for the first.
  Ingest other(clock_, logger_);
  ASSERT_TRUE(other.Start().ok());
  IngestOptions options;
  options.listen.push_back(Address(file));
  other.Configure(options);
  ASSERT_NE(other.Acquire(Deadline::After(clock_, kPatience)), nullptr);
  Sender sender(file);
  ASSERT_TRUE(sender.Send("a.x:1|c"));
  EXPECT_TRUE(Until([&] { return Lines(file) == 1; })) << "the first still has it";
}

TEST_F(IngestTest, ComesBackWhenTheSocketFileOrItsDirectoryVanishes) {
  std::filesystem::create_directory(PathOf("run"));
  const std::string file = SocketIn("run/statsd.sock");
  Listen({file});
  ASSERT_TRUE(Until([&] { return Up(file) == 1; }));
  Sender sender(file);
  ASSERT_TRUE(sender.Send("a.x:1|c"));

  std::filesystem::remove(PathOf("run/statsd.sock"));
  EXPECT_TRUE(Until([&] { return std::filesystem::exists(PathOf("run/statsd.sock")); }));
  EXPECT_TRUE(Until([&] { return Up(file) == 1; }));
  ASSERT_TRUE(sender.Send("a.x:1|c"));
  EXPECT_TRUE(Until([&] { return Lines(file) == 2; })) << "counts go on";

  std::filesystem::remove_all(PathOf("run"));
  EXPECT_TRUE(Until([&] { return Up(file) == 0; }));
  ASSERT_TRUE(sender.Send("a.x:1|c")) << "whoever is connected is still heard";
  EXPECT_TRUE(Until([&] { return Lines(file) == 3; }));
  EXPECT_FALSE(CheckListen(Address(file)).good);
  std::filesystem::create_directory(PathOf("run"));
  EXPECT_TRUE(Until([&] { return Up(file) == 1; }));
  ASSERT_TRUE(sender.Send("a.x:1|c"));
  EXPECT_TRUE(Until([&] { return Lines(file) == 4; }));
}

TEST_F(IngestTest, APortInUseIsTriedAgain) {
  const std::string address = "udp://127.0.0.1:" + std::to_string(FreePort(AF_INET));
  Result<BoundSocket> taken = BindDatagramSocket(Address(address), 0600);
  ASSERT_TRUE(taken.ok());
  Listen({address});
  EXPECT_EQ(Up(address), 0);
  taken->fd.Reset();
  EXPECT_TRUE(Until([&] { return Up(address) == 1; }));
}

TEST_F(IngestTest, NewOptionsLeaveWhatStaysUntouched) {
  const std::string first = SocketIn("first.sock");
  const std::string second = SocketIn("second.sock");
  Listen({first});
  ASSERT_TRUE(Until([&] { return Up(first) == 1; }));
  const std::optional<FileId> file = SocketFileAt(PathOf("first.sock"));
  Sender sender(first);
  ASSERT_TRUE(sender.Send("a.x:1|c"));
  ASSERT_TRUE(Until([&] { return Lines(first) == 1; }));
  Listen({second, first});
  EXPECT_TRUE(Until([&] { return Up(second) == 1; }));
  EXPECT_EQ(SocketFileAt(PathOf("first.sock")), file);
  ASSERT_TRUE(sender.Send("a.x:1|c"));
  EXPECT_TRUE(Until([&] { return Lines(first) == 2; }));
  Listen({second});
  EXPECT_TRUE(Until([&] { return !std::filesystem::exists(PathOf("first.sock")); }));
}

TEST_F(IngestTest, SnapshotsAreSharedAndAnswerUnderAFlood) {
  const std::string address = "udp://127.0.0.1:" + std::to_string(FreePort(AF_INET));
  Listen({address});
  ASSERT_TRUE(Until([&] { return Up(address) == 1; }));
  std::atomic<bool> stop{false};
  std::thread flood([&] {
    Sender sender(address);
    std::string datagram;
    while (datagram.size() < 1'400) datagram += "spire_server.rpc.x.y.elapsed_time:1.0|ms|#a:b\n";
    while (!stop) sender.Send(datagram);
  });
  std::vector<std::future<size_t>> scrapers;
  for (int i = 0; i < 4; ++i) {
    scrapers.push_back(std::async(std::launch::async, [&] {
      size_t answers = 0;
      uint64_t before = 0;
      for (int turn = 0; turn < 50; ++turn) {
        const std::shared_ptr<const Snapshot> snapshot = Take();
        answers += snapshot != nullptr;
        // A snapshot is of after its request.
        const uint64_t observed = snapshot == nullptr ? 0 : Observed(*snapshot);
        EXPECT_GE(observed, before);
        before = observed;
      }
      return answers;
    }));
  }
  for (auto& scraper : scrapers) EXPECT_EQ(scraper.get(), 50u);
  stop = true;
  flood.join();
}

// By its clock the stream has a rate at which datagrams are left in the socket for a while: a
// request is told of all that had arrived when it was made, and the socket of a file is read
// meanwhile.
TEST_F(IngestTest, ARequestEndsANapAndIsToldOfWhatArrived) {
  ManualClock paced;
  ingest_ = std::make_unique<Ingest>(paced, logger_);
  ASSERT_TRUE(ingest_->Start().ok());
  const std::string udp = "udp://127.0.0.1:" + std::to_string(FreePort(AF_INET));
  const std::string file = SocketIn("statsd.sock");
  Listen({udp, file});
  ASSERT_TRUE(Until([&] { return Up(udp) == 1 && Up(file) == 1; }));
  Sender to_udp(udp);
  Sender to_file(file);
  for (int round = 1; round <= 200; ++round) {
    paced.Advance(milliseconds(10));
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(to_udp.Send("a.x:1|c\n"));
    // A request in the middle of a burst is answered there.
    ASSERT_TRUE(Until([&] { return Lines(udp) == 21 * round - 1; }));
    ASSERT_TRUE(to_udp.Send("a.x:1|c\n"));
    ASSERT_EQ(Lines(udp), 21 * round);
    ASSERT_TRUE(to_file.Send("a.x:1|c\n"));
    ASSERT_EQ(Lines(file), round);
  }
  EXPECT_EQ(Value("spire_exporter_statsd_kernel_dropped_datagrams_total", udp), 0);
  ingest_.reset();  // before its clock
}

// Polled faster than a page rests, none would ever be taken if the next one took its place.
TEST_F(IngestTest, APageIsTakenThoughAnotherComesBeforeItIsDue) {
  Listen({});
  const SteadyTime now = clock_.Steady();
  ingest_->Deliver({now, now, {}});
  Take();  // by then it has been handed over
  ingest_->Deliver({now, now + std::chrono::hours(1), {}});
  for (bool seen = false; !seen;) {
    ASSERT_LT(clock_.Steady(), now + kPatience);
    for (const Family& each : Take()->families)
      seen |= each.description->name == "spire_exporter_telemetry_last_data_timestamp_seconds" &&
              !each.series.empty();
  }
}

TEST(IngestStateTest, WithoutAThreadTheDeadlineIsKept) {
  const RealClock clock;
  NullLogger logger;
  Ingest ingest(clock, logger);
  EXPECT_EQ(ingest.Acquire(Deadline::After(clock, milliseconds(5))), nullptr);
}

TEST(ListenAddressTest, KnowsItsForms) {
  for (const char* good : {"udp://127.0.0.1:8125", "udp://localhost:1", "udp://[::1]:8125",
                           "udp://0.0.0.0:0", "unixgram:///a"}) {
    EXPECT_TRUE(ParseListenAddress(good).ok()) << good;
  }
  for (const std::string& bad :
       {std::string("127.0.0.1:8125"), std::string("udp://127.0.0.1"), std::string("udp://:8125"),
        std::string("udp://example.org:1"), std::string("udp://127.0.0.1:65536"),
        std::string("udp://::1:8125"), std::string("unixgram://a"), std::string("unixgram:///"),
        std::string("tcp://127.0.0.1:1"), "unixgram:///" + std::string(107, 'x')}) {
    EXPECT_FALSE(ParseListenAddress(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace spire_exporter::telemetry
