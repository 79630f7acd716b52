// The fast path takes and tells exactly what the slow one does, whatever the bytes are.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "collectors/telemetry/capture_file.h"
#include "collectors/telemetry/twin_test_util.h"
#include "exporter/metrics/random_test_util.h"

namespace spire_exporter::telemetry {
namespace {

std::vector<std::string> CapturedDatagrams() {
  std::vector<std::string> all;
  for (const char* const file :
       {"1.15.3/server.udp.cap", "1.15.3/agent.udp.cap", "1.15.3/server.unixgram.cap",
        "1.8.0/server.udp.cap", "1.7.2/agent.udp.cap"}) {
    for (CapturedDatagram& datagram : ReadCapture(file)) all.push_back(std::move(datagram.bytes));
  }
  return all;
}

std::string OneOf(TestRandom& random, const std::vector<std::string>& choices) {
  return choices[static_cast<size_t>(random.Integer(0, static_cast<int>(choices.size()) - 1))];
}

std::string RandomNumber(TestRandom& random) {
  std::string digits;
  for (int i = random.Integer(0, random.OneIn(10) ? 25 : 3); i > 0; --i) {
    digits += static_cast<char>('0' + random.Integer(0, 9));
  }
  if (random.OneIn(3)) return digits;
  digits += '.';
  for (int i = random.OneIn(3) ? random.Integer(0, 25) : 6; i > 0; --i) {
    digits += static_cast<char>('0' + random.Integer(0, 9));
  }
  return digits;
}

std::string RandomLine(TestRandom& random) {
  static const std::vector<std::string> kNames = {
      "spire_server.rpc.agent.v1.agent.attest_agent.elapsed_time",
      "spire_server.rpc.agent.v1.agent.attest_agent",
      "spire_server.datastore.registration_entry.list.elapsed_time",
      "spire_agent.workload_api.workload_attestation.elapsed_time",
      "spire_server.entry.cache.reload.elapsed_time",
      "spire_agent.uptime_in_ms",
      "spire_server.started",
      "datadog.dogstatsd.client.metrics",
      "short",
      std::string(300, 'n')};
  static const std::vector<std::string> kNumbers = {
      "1",  "9", "0.000001", "1e3", "nan", "-1",        "inf",       "1:2",
      "+5", "",  "x",        "1.",  ".5",  "99.999999", "100.000000"};
  static const std::vector<std::string> kTypes = {"|ms", "|c", "|g", "|h", "|d", "|s", "|", ""};
  static const std::vector<std::string> kTails = {"|#status:OK,host:spire-server-0",
                                                  "|#host:spire-server-0,status:OK",
                                                  "|#status:PermissionDenied,host:spire-server-0",
                                                  "|#status:OK",
                                                  "|#",
                                                  "",
                                                  "|@0.5|#status:OK,host:spire-server-0",
                                                  "|#status:OK,host:spire-server-0|T1700000000",
                                                  "|#status:OK,host:spire-server-0|c:abc",
                                                  "|#status:OK,host:spire-server-0\r",
                                                  "|#status:OK\r\r",
                                                  "|#client_version:4.8.3,client:go",
                                                  "|#status:" + std::string(200, 'v')};
  return OneOf(random, kNames) + ":" +
         (random.OneIn(3) ? OneOf(random, kNumbers) : RandomNumber(random)) +
         OneOf(random, kTypes) + OneOf(random, kTails);
}

void Mutate(TestRandom& random, std::string* bytes) {
  static const std::string kLikely = ":|#@,.\n\r\0 0159msc\xff";
  for (int i = random.Integer(1, 3); i > 0 && !bytes->empty(); --i) {
    const auto at = static_cast<size_t>(random.Integer(0, static_cast<int>(bytes->size()) - 1));
    const char byte =
        kLikely[static_cast<size_t>(random.Integer(0, static_cast<int>(kLikely.size()) - 1))];
    switch (random.Integer(0, 3)) {
      case 0:
        (*bytes)[at] = byte;
        break;
      case 1:
        bytes->insert(at, 1, byte);
        break;
      case 2:
        bytes->erase(at, static_cast<size_t>(random.Integer(1, 20)));
        break;
      default:
        bytes->insert(at, bytes->substr(at, static_cast<size_t>(random.Integer(1, 40))));
        break;
    }
  }
}

TEST(StorePathsTest, AgreeOnRecordedStreams) {
  Twins twins(StoreOptions{});
  for (const std::string& datagram : CapturedDatagrams()) {
    twins.Feed(datagram, false);
    twins.clock().Advance(std::chrono::milliseconds(20));
  }
  EXPECT_EQ(twins.Difference(), "");
  EXPECT_GT(twins.counts().outcomes[0], 10'000u);
}

TEST(StorePathsTest, AgreeOnDamagedStreams) {
  const std::vector<std::string> datagrams = CapturedDatagrams();
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    TestRandom random(seed);
    Twins twins(StoreOptions{});
    for (int i = 0; i < 1'000; ++i) {
      std::string datagram = OneOf(random, datagrams);
      // As it was first, so that the fast path knows it.
      twins.Feed(datagram, false);
      Mutate(random, &datagram);
      for (int turn = 0; turn < 2; ++turn) twins.Feed(datagram, random.OneIn(20));
      twins.clock().Advance(std::chrono::milliseconds(10));
    }
    ASSERT_EQ(twins.Difference(), "") << "seed " << seed;
  }
}

TEST(StorePathsTest, AgreeOnRandomLines) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    TestRandom random(seed);
    Twins twins(StoreOptions{});
    for (int i = 0; i < 500; ++i) {
      std::string datagram;
      for (int lines = random.Integer(1, 12); lines > 0; --lines) {
        std::string line = RandomLine(random);
        if (random.OneIn(10)) Mutate(random, &line);
        datagram += line + (random.OneIn(10) ? "\n\n" : "\n");
      }
      if (random.OneIn(2)) datagram.pop_back();
      twins.Feed(datagram, random.OneIn(20));
      twins.clock().Advance(std::chrono::milliseconds(random.Integer(0, 200)));
    }
    ASSERT_EQ(twins.Difference(), "") << "seed " << seed;
  }
}

// Few series and little memory, so that series are refused and the memo starts over.
TEST(StorePathsTest, AgreeAtTheirBounds) {
  StoreOptions options;
  options.series_max = 40;
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    TestRandom random(seed);
    Twins twins(options);
    for (int i = 0; i < 2'000; ++i) {
      const std::string name = "spire_server.unheard_of" + std::to_string(random.Integer(0, 60));
      const std::string line = name + ".elapsed_time:" + RandomNumber(random) +
                               "|ms|#status:OK,host:spire-server-" +
                               std::to_string(random.Integer(0, 9)) + "\n";
      twins.Feed(line + RandomLine(random) + "\n" + line, false);
    }
    ASSERT_EQ(twins.Difference(), "") << "seed " << seed;
  }
}

TEST(StorePathsTest, ATagThatEndsInACarriageReturnIsNotTakenForTheEndOfALine) {
  Twins twins(StoreOptions{});
  const std::string line = "spire_server.entry.cache.reload.elapsed_time:1.000000|ms|#status:OK";
  for (const char* const end : {"\r\r", "", "\r", "\r\r", "\r", ""}) twins.Feed(line + end, false);
  EXPECT_EQ(twins.Difference(), "");
}

}  // namespace
}  // namespace spire_exporter::telemetry
