#include "tests/fakes/dogstatsd_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/numbers.h"
#include "tests/fakes/recording_writer.h"

namespace spire_exporter::fakes {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class DogStatsdClientTest : public testing::Test {
 protected:
  DogStatsdClient Make(Release release, bool is_unix = false, std::string_view global = "") {
    return DogStatsdClient(std::make_unique<RecordingWriter>(&recording_, clock_, is_unix),
                           DialectOf(release), global, clock_.Steady());
  }
  void Hand(DogStatsdClient& client, std::string_view name, std::string_view rest) {
    client.Hand(Fnv1a(name), std::string(name).append(rest), clock_.Steady());
  }
  void Pass(DogStatsdClient& client, Duration duration) {
    for (Duration passed{}; passed < duration; passed += milliseconds(10)) {
      clock_.Advance(milliseconds(10));
      client.Tick(clock_.Steady());
    }
  }
  std::vector<std::string> Sent() const {
    std::vector<std::string> bytes;
    for (const auto& datagram : recording_.datagrams) bytes.push_back(datagram.bytes);
    return bytes;
  }
  // The value of a self-telemetry counter in the last report that was sent.
  int64_t Reported(std::string_view name) const {
    const std::string head = "datadog.dogstatsd.client." + std::string(name) + ':';
    int64_t value = -1;
    for (const auto& datagram : recording_.datagrams) {
      const size_t at = datagram.bytes.find(head);
      if (at != std::string::npos) value = std::stoll(datagram.bytes.substr(at + head.size()));
    }
    return value;
  }

  ManualClock clock_;
  Recording recording_;
};

TEST_F(DogStatsdClientTest, TheOldClientJoinsLinesInOneBufferWithoutAFinalNewline) {
  DogStatsdClient client = Make(Release::k1_8_0);
  Hand(client, "b", ":1|c");
  Hand(client, "a", ":2|c");
  Pass(client, milliseconds(90));
  EXPECT_THAT(Sent(), testing::IsEmpty());
  Pass(client, milliseconds(10));
  EXPECT_THAT(Sent(), testing::ElementsAre("b:1|c\na:2|c"));
}

TEST_F(DogStatsdClientTest, TheNewClientEndsEveryLineAndSendsBuffersInOrderOfTheirHash) {
  DogStatsdClient client = Make(Release::k1_15_3);
  // Recorded in one datagram and in this order of buffers: 0x.. % 32 is 2 for the first pair.
  ASSERT_EQ(Fnv1a("spire_agent.bootstrapped") % 32,
            Fnv1a("spire_agent.lru_cache_record_map_size") % 32);
  ASSERT_LT(Fnv1a("spire_agent.sync_bundles_total") % 32, Fnv1a("spire_agent.bootstrapped") % 32);
  Hand(client, "spire_agent.bootstrapped", ":1|g");
  Hand(client, "spire_agent.sync_bundles_total", ":1|g");
  Hand(client, "spire_agent.lru_cache_record_map_size", ":0|g");
  Pass(client, milliseconds(100));
  EXPECT_THAT(Sent(),
              testing::ElementsAre(
                  "spire_agent.sync_bundles_total:1|g\n",
                  "spire_agent.bootstrapped:1|g\nspire_agent.lru_cache_record_map_size:0|g\n"));
}

TEST_F(DogStatsdClientTest, ADatagramIsFilledToTheLastByte) {
  for (const auto& [release, is_unix, size] :
       {std::tuple(Release::k1_8_0, false, 1432U), std::tuple(Release::k1_8_0, true, 1432U),
        std::tuple(Release::k1_15_3, false, 1432U), std::tuple(Release::k1_15_3, true, 8192U)}) {
    recording_.datagrams.clear();
    DogStatsdClient client = Make(release, is_unix);
    const size_t newline = release == Release::k1_15_3 ? 1 : 0;
    // Two lines that fit together exactly, and a third that does not.
    Hand(client, "k", std::string(99, 'x'));
    Hand(client, "k", std::string(size - 100 - 1 - newline - 1, 'y'));
    EXPECT_THAT(Sent(), testing::IsEmpty());
    Hand(client, "k", "z");
    ASSERT_EQ(Sent().size(), 1U);
    EXPECT_EQ(Sent()[0].size(), size);
    EXPECT_EQ(client.lines_buffered(), 1U);
  }
}

TEST_F(DogStatsdClientTest, ALineThatFitsNoDatagramIsLostInSilenceButCounted) {
  DogStatsdClient client = Make(Release::k1_15_3);
  Hand(client, "k", std::string(1431, 'x'));
  Pass(client, seconds(11));
  EXPECT_EQ(Reported("metrics"), 1);
  EXPECT_EQ(Reported("packets_dropped"), 0);
  for (const std::string& bytes : Sent()) EXPECT_EQ(bytes.find("xxx"), std::string::npos);
}

TEST_F(DogStatsdClientTest, TheNewClientCountsLinesHandedWithoutItsOwn) {
  DogStatsdClient client = Make(Release::k1_15_3);
  for (int i = 0; i < 5; ++i) Hand(client, "k", ":1|c");
  Pass(client, seconds(10) + milliseconds(100));
  EXPECT_EQ(Reported("metrics"), 5);
  // One datagram with the five lines: those of the report are still to come.
  EXPECT_EQ(Reported("packets_sent"), 1);
  EXPECT_EQ(Reported("bytes_sent"), 5 * 6);
  const size_t with_report = recording_.datagrams.size();
  Pass(client, seconds(10));
  EXPECT_EQ(Reported("metrics"), 0);
  EXPECT_EQ(Reported("packets_sent"), static_cast<int64_t>(with_report) - 1);
}

TEST_F(DogStatsdClientTest, TheOldClientReportsEightCountersInOneDatagram) {
  DogStatsdClient client = Make(Release::k1_7_2, true, "env:prod a");
  Pass(client, seconds(10) + milliseconds(100));
  ASSERT_EQ(Sent().size(), 1U);
  const std::string report = Sent()[0];
  EXPECT_EQ(report.substr(0, 94),
            "datadog.dogstatsd.client.packets_sent:0|c|#env:prod a,client:go,transport:uds\n"
            "datadog.dogstats");
  EXPECT_EQ(std::count(report.begin(), report.end(), '\n'), 7);
  EXPECT_EQ(Reported("metrics"), -1);
}

TEST_F(DogStatsdClientTest, AFailedWriteIsReportedAsDroppedByTheWriter) {
  DogStatsdClient client = Make(Release::k1_15_3);
  recording_.outcome = DatagramWriter::Outcome::kFailed;
  Hand(client, "k", ":1|c");
  Pass(client, seconds(1));
  recording_.outcome = DatagramWriter::Outcome::kSent;
  Pass(client, seconds(10));
  EXPECT_EQ(Reported("metrics"), 1);
  EXPECT_EQ(Reported("packets_dropped"), 1);
  EXPECT_EQ(Reported("packets_dropped_writer"), 1);
  EXPECT_EQ(Reported("bytes_dropped_writer"), 6);
  EXPECT_EQ(Reported("packets_dropped_queue"), 0);
  EXPECT_EQ(client.sender().counts().lines_dropped, 1U);
}

TEST_F(DogStatsdClientTest, ABlockedUnixWriteIsGivenUpAfterItsDeadline) {
  DogStatsdClient client = Make(Release::k1_15_3, true);
  recording_.outcome = DatagramWriter::Outcome::kBlocked;
  Hand(client, "k", ":1|c");
  Pass(client, milliseconds(190));
  EXPECT_EQ(client.sender().counts().dropped_writer, 0U);
  Pass(client, milliseconds(10));
  EXPECT_EQ(client.sender().counts().dropped_writer, 1U);
}

TEST_F(DogStatsdClientTest, ABlockedUdpWriteWaitsForRoom) {
  DogStatsdClient client = Make(Release::k1_15_3);
  recording_.outcome = DatagramWriter::Outcome::kBlocked;
  Hand(client, "k", ":1|c");
  Pass(client, seconds(5));
  recording_.outcome = DatagramWriter::Outcome::kSent;
  Pass(client, milliseconds(10));
  EXPECT_THAT(Sent(), testing::ElementsAre("k:1|c\n"));
  EXPECT_EQ(client.sender().counts().dropped_writer, 0U);
}

TEST_F(DogStatsdClientTest, WhatTheQueueCannotHoldIsDroppedThere) {
  DogStatsdClient client = Make(Release::k1_15_3, true);
  recording_.outcome = DatagramWriter::Outcome::kBlocked;
  // One datagram each; one is with the writer, 512 wait.
  for (int i = 0; i < 520; ++i) Hand(client, "k", std::string(8190, 'x'));
  EXPECT_EQ(client.sender().counts().dropped_queue, 6U);
  EXPECT_EQ(client.sender().counts().bytes_dropped_queue, 6U * 8192);
  recording_.outcome = DatagramWriter::Outcome::kSent;
  Pass(client, milliseconds(10));
  EXPECT_EQ(Sent().size(), 513U);
}

TEST_F(DogStatsdClientTest, RawDatagramsPassByEveryCount) {
  DogStatsdClient client = Make(Release::k1_15_3);
  client.SendRaw("\x01garbage");
  EXPECT_THAT(Sent(), testing::ElementsAre("\x01garbage"));
  EXPECT_EQ(client.lines_handed(), 0U);
  EXPECT_EQ(client.sender().counts().sent, 0U);
}

}  // namespace
}  // namespace spire_exporter::fakes
