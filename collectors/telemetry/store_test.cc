#include "collectors/telemetry/store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "exporter/base/text.h"
#include "exporter/base/utf8.h"

namespace spire_exporter::telemetry {
namespace {

using std::chrono::seconds;

constexpr std::string_view kTimer = "spire_server.rpc.agent.v1.agent.attest_agent.elapsed_time";
constexpr std::string_view kCall = "spire_server.rpc.agent.v1.agent.attest_agent";

class StoreTest : public testing::Test {
 protected:
  void Feed(std::string_view datagram, bool truncated = false) {
    store_.Feed(datagram, truncated, {clock_.Steady(), clock_.Steady()}, &counts_);
  }
  void FeedKey(std::string_view name, std::string_view rest) {
    Feed(std::string(name) + std::string(rest));
  }
  FamilyList Families() {
    FamilyList families;
    store_.AppendFamilies(clock_.Steady(), &families);
    return families;
  }
  std::vector<Series> SeriesOf(std::string_view family) {
    for (Family& each : Families()) {
      if (each.description->name == family) return each.series;
    }
    return {};
  }
  uint64_t Outcome(Reject reject) const { return counts_.outcomes[static_cast<size_t>(reject)]; }

  ManualClock clock_;
  Store store_{StoreOptions{}, clock_};
  ListenerCounts counts_;
};

TEST_F(StoreTest, TimersBecomeHistogramsInSeconds) {
  FeedKey(kTimer, ":250.000000|ms|#status:OK,host:a\n");
  FeedKey(kTimer, ":1000.000000|ms|#status:OK,host:a\n");
  const auto series = SeriesOf("spire_rpc_duration_seconds");
  ASSERT_EQ(series.size(), 1u);
  EXPECT_EQ(series[0].histogram->count, 2u);
  EXPECT_DOUBLE_EQ(series[0].histogram->sum, 1.25);
  EXPECT_EQ(series[0].labels->Get("status"), "OK");
  EXPECT_EQ(series[0].labels->Get("host"), "");
  EXPECT_DOUBLE_EQ(series[0].created_seconds, UnixSeconds(clock_.System()));
}

TEST_F(StoreTest, CallCountersAreHeldAgainstTheirTimersAndCountNothing) {
  FeedKey(kCall, ":1|c|#status:OK,host:a\n");
  EXPECT_TRUE(SeriesOf("spire_rpc_duration_seconds").empty()) << "no event has been timed";
  FeedKey(kTimer, ":1.000000|ms|#status:OK,host:a\n");
  EXPECT_EQ(SeriesOf("spire_rpc_duration_seconds").at(0).histogram->count, 1u);
  EXPECT_EQ(store_.State().counter_events, 1);
  EXPECT_EQ(store_.State().timer_events, 1u);
}

TEST_F(StoreTest, OrderOfTagsAndHostMakeNoSeries) {
  Feed("some.event:1|c|#status:OK,host:a");
  Feed("some.event:1|c|#host:b,status:OK");
  Feed("some.event:1|c|#status:OK");
  Feed("some.event:1|c|#status:Bad,status:OK");
  const auto series = SeriesOf("spire_unmapped_events_total");
  ASSERT_EQ(series.size(), 1u);
  EXPECT_EQ(series[0].value, 4);
}

TEST_F(StoreTest, FramingMakesNoDifference) {
  Feed("a.x:1|c\na.x:1|c\n");
  Feed("a.x:1|c\na.x:1|c");
  Feed("\n\n\na.x:1|c\n\n\n\na.x:1|c\n\n");
  Feed("");
  Feed("\n");
  EXPECT_EQ(counts_.datagrams, 5u);
  EXPECT_EQ(counts_.lines(), 6u);
  EXPECT_EQ(counts_.rejected(), 0u);
  EXPECT_EQ(SeriesOf("spire_unmapped_events_total").at(0).value, 6);
}

TEST_F(StoreTest, GaugesAreAbsolute) {
  Feed("a.gauge:7|g\na.gauge:-5|g");
  EXPECT_EQ(SeriesOf("spire_unmapped_value").at(0).value, -5);
  Feed("a.gauge:+3|g");
  EXPECT_EQ(SeriesOf("spire_unmapped_value").at(0).value, 3);
}

TEST_F(StoreTest, CountersRefuseWhatIsNoRise) {
  Feed("a.x:5|c");
  for (const std::string_view value : {"nan", "inf", "-inf", "-1", "1e300", "1:-1", "1:nan"}) {
    Feed("a.x:" + std::string(value) + "|c");
  }
  EXPECT_EQ(Outcome(Reject::kRefusedValue), 7u);
  EXPECT_EQ(SeriesOf("spire_unmapped_events_total").at(0).value, 5) << "lines are taken as a whole";
  Feed("a.gauge:nan|g\na.gauge:inf|g");
  FeedKey(kTimer, ":-1.000000|ms|#host:a\n");
  EXPECT_EQ(Outcome(Reject::kRefusedValue), 10u);
  EXPECT_TRUE(SeriesOf("spire_unmapped_value").empty());
}

TEST_F(StoreTest, PackedValuesAndSampleRatesCountWholeEvents) {
  Feed("a.x:1:2:3|c|@0.5");
  EXPECT_EQ(SeriesOf("spire_unmapped_events_total").at(0).value, 12);
  FeedKey(kTimer, ":1:2:3|ms|@0.1|#status:OK|T1656581400|c:abc|e:it-false|card:low|what:ever\n");
  const auto series = SeriesOf("spire_rpc_duration_seconds");
  EXPECT_EQ(series.at(0).histogram->count, 30u);
  EXPECT_NEAR(series.at(0).histogram->sum, 0.06, 1e-12);
  // Whatever the rate, a line costs the same.
  FeedKey(kTimer, ":1|ms|@0.0000001|#status:OK\n");
  EXPECT_EQ(SeriesOf("spire_rpc_duration_seconds").at(0).histogram->count, 30u + kWeightMax);
  EXPECT_EQ(counts_.rejected(), 0u);
}

TEST_F(StoreTest, SectionsBesideTheTagsMakeNoSpellings) {
  for (int i = 0; i < 1000; ++i) {
    Feed("a.x:1|c|#b:c|T" + std::to_string(1'656'581'400 + i));
    Feed("a.x:1|c|#b:c|c:" + std::to_string(i));
  }
  EXPECT_EQ(SeriesOf("spire_unmapped_events_total").at(0).value, 2000);
  EXPECT_LT(store_.State().bytes, size_t{64} << 10);
}

struct Hostile {
  std::string_view line;
  Reject outcome;
};

void PrintTo(const Hostile& hostile, std::ostream* out) {
  *out << Quoted(hostile.line);
}

class HostileLineTest : public StoreTest, public testing::WithParamInterface<Hostile> {};

// Whatever comes, the line is counted once and the next line of its datagram is taken.
TEST_P(HostileLineTest, IsCountedOnceAndStopsNobody) {
  Feed("good.one:1|c\n" + std::string(GetParam().line) + "\ngood.two:1|c");
  EXPECT_EQ(counts_.lines(), 3u);
  EXPECT_EQ(Outcome(GetParam().outcome), GetParam().outcome == Reject::kNone ? 3u : 1u);
  std::set<std::string> identities;
  for (const Family& family : Families()) {
    for (const Series& series : family.series) {
      const std::string identity =
          std::string(family.description->name) + std::string(series.labels->rendered());
      EXPECT_TRUE(identities.insert(identity).second) << identity;
      EXPECT_EQ(FindInvalidUtf8(identity), std::string::npos);
      for (size_t i = 0; i < series.labels->size(); ++i) {
        const auto known = std::any_of(
            family.description->labels.begin(), family.description->labels.end(),
            [&](const LabelDescription& label) { return label.name == series.labels->name(i); });
        EXPECT_TRUE(known) << identity;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, HostileLineTest,
    testing::Values(
        Hostile{"x.y:1|ms|#le:5", Reject::kNone}, Hostile{"x.y:1|ms|#quantile:0.5", Reject::kNone},
        Hostile{"x.y:1|c|#__name__:up", Reject::kNone},
        Hostile{"spire_server.rpc.agent.v1.agent.attest_agent.elapsed_time:1|ms|#le:5,status:OK",
                Reject::kNone},
        Hostile{"x.y:1|c|#a:1,a:2,a:3", Reject::kNone},
        Hostile{"x.y:1|c|#,,:,:x,a:", Reject::kNone},
        Hostile{"x.y:1|c|#status:a\"b\\c", Reject::kNone}, Hostile{"x\"y\\z{}:1|c", Reject::kNone},
        Hostile{"x.y:1|c|#\x01\x02:\x7f", Reject::kNone},
        Hostile{"x.y:1|c|#status:\xff\xfe", Reject::kInvalidUtf8},
        Hostile{"x\xc3.y:1|c", Reject::kInvalidUtf8},
        Hostile{"x.y:1|c|#status:\xed\xa0\x80", Reject::kInvalidUtf8},
        Hostile{":1|c", Reject::kEmptyName}, Hostile{"x.y:|c", Reject::kInvalidValue},
        Hostile{"x.y:1:|c", Reject::kInvalidValue}, Hostile{"x.y:0x10|c", Reject::kInvalidValue},
        Hostile{"x.y:1e999|g", Reject::kInvalidValue},
        Hostile{"x.y:abc|s", Reject::kUnsupportedType},
        Hostile{"x.y:1|c|@nan", Reject::kInvalidRate}, Hostile{"x.y:1|c|@0", Reject::kInvalidRate},
        Hostile{"x.y", Reject::kMalformed}, Hostile{"|", Reject::kMalformed},
        Hostile{"::::", Reject::kEmptyName}, Hostile{"x.y:1|", Reject::kMalformed},
        Hostile{"_e{5,4}:title|text|#a:b", Reject::kEvent},
        Hostile{"_sc|name|2|#a:b|m:text", Reject::kServiceCheck}));

TEST_F(StoreTest, BinaryWithZeroBytesIsCounted) {
  Feed(std::string_view("a.x:1|c\n\0\0\0\n\0:1|c\n", 18));
  EXPECT_EQ(counts_.lines(), 3u);
}

TEST_F(StoreTest, TheTornLineOfALongDatagramIsRejected) {
  Feed("a.x:1|c\na.x:1|c", true);
  EXPECT_EQ(counts_.truncated_datagrams, 1u);
  EXPECT_EQ(Outcome(Reject::kTruncated), 1u);
  EXPECT_EQ(SeriesOf("spire_unmapped_events_total").at(0).value, 1);
  // Also when it looks like one that is known, and when it is all there is.
  Feed("a.x:1|c\na.x:1|c", true);
  Feed("a.x:1|c", true);
  EXPECT_EQ(SeriesOf("spire_unmapped_events_total").at(0).value, 2);
  EXPECT_EQ(Outcome(Reject::kTruncated), 3u);
  EXPECT_EQ(counts_.lines(), 5u);
}

// A tenth under sanitizers, which take thirty times as long for it.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int kAttack = 100'000;
#else
constexpr int kAttack = 1'000'000;
#endif

TEST_F(StoreTest, AMillionTagValuesAreBoundedAndTheKnownLiveOn) {
  FeedKey(kTimer, ":1.000000|ms|#status:OK,host:a\n");
  Feed("my.event:1|c|#status:OK");
  std::string datagram;
  for (int i = 0; i < kAttack; ++i) {
    const std::string number = std::to_string(i);
    datagram += "evil.name" + number + ":1|ms|#status:v" + number + ",x:" + number + "\n";
    datagram += std::string(kTimer) + ":1|ms|#host:h" + number + ",status:s" + number + "\n";
    if (datagram.size() < 60'000) continue;
    Feed(datagram);
    datagram.clear();
  }
  EXPECT_LE(store_.State().series, 5'000u);
  EXPECT_LE(store_.State().bytes, size_t{8} << 20);
  EXPECT_GT(Outcome(Reject::kSeriesLimit), uint64_t{kAttack} * 9 / 10);
  const uint64_t refused = counts_.rejected();
  FeedKey(kTimer, ":1.000000|ms|#status:OK,host:a\n");
  Feed("my.event:1|c|#status:OK");
  // A call that had not come before the attack finds room.
  Feed("spire_server.datastore.bundle.fetch.elapsed_time:1.000000|ms|#status:OK,host:a\n");
  EXPECT_EQ(counts_.rejected(), refused);
  EXPECT_EQ(SeriesOf("spire_datastore_operation_duration_seconds").size(), 1u);
}

TEST_F(StoreTest, NamesMadeToCollideAreBoundedAndTheKnownLiveOn) {
  FeedKey(kTimer, ":1.000000|ms|#status:OK,host:a\n");
  // All with the same end of the name and the same tags: one value of the memo's weak hash.
  const std::string same = std::string(24, 'n') + ":1.000000|ms|#status:OK,host:spire-server-0\n";
  std::string datagram;
  for (int i = 0; i < kAttack / 10; ++i) {
    datagram += std::to_string(1'000'000 + i) + same;
    if (datagram.size() < 60'000) continue;
    Feed(datagram);
    datagram.clear();
  }
  EXPECT_LE(store_.State().series, 5'000u);
  EXPECT_LE(store_.State().bytes, size_t{8} << 20);
  const uint64_t refused = counts_.rejected();
  EXPECT_GT(refused, uint64_t{kAttack} / 20);
  FeedKey(kTimer, ":1.000000|ms|#status:OK,host:a\n");
  EXPECT_EQ(counts_.rejected(), refused);
  EXPECT_EQ(counts_.lines(), counts_.outcomes[0] + refused);
}

TEST_F(StoreTest, StatesAreWithdrawnWithTheirSenderAndTotalsStay) {
  Feed("my.state:3|g|#host:a\n");
  FeedKey(kTimer, ":1.000000|ms|#status:OK,host:a\n");
  EXPECT_EQ(Families().size(), 2u);
  // Told once, it holds while its teller lives.
  for (int i = 0; i < 60; ++i) {
    clock_.Advance(seconds(10));
    Feed("spire_server.uptime_in_ms:" + std::to_string(10'000 * i) + "|g|#host:a\n");
  }
  EXPECT_EQ(SeriesOf("spire_unmapped_value").size(), 1u);
  clock_.Advance(std::chrono::minutes(6));
  EXPECT_TRUE(SeriesOf("spire_unmapped_value").empty());
  EXPECT_EQ(SeriesOf("spire_rpc_duration_seconds").size(), 1u);
}

TEST_F(StoreTest, ANewVersionReplacesTheOld) {
  Feed("spire_server.started:1|g|#version:1_8_0,trust_domain_id:example_org,host:a\n");
  Feed("spire_server.started:1|g|#version:1_15_3,trust_domain_id:example_org,host:a\n");
  Feed("spire_agent.started:1|g|#version:1_7_2,trust_domain_id:example_org,host:a\n");
  size_t infos = 0;
  for (const Family& family : Families()) {
    if (family.description->type == MetricType::kInfo) infos += family.series.size();
  }
  EXPECT_EQ(infos, 2u);
}

TEST_F(StoreTest, LabelValuesAreCutAtACharacter) {
  StoreOptions options;
  options.label_length_max = 10;
  store_.SetOptions(options);
  Feed("0123456789abc.x:1|c\n0123456789def.x:1|c");
  Feed("01234567\xe2\x82\xac.x:1|c");
  const auto series = SeriesOf("spire_unmapped_events_total");
  ASSERT_EQ(series.size(), 2u);
  EXPECT_EQ(series[0].value, 2) << "equal after the cut: one series";
  EXPECT_EQ(FindInvalidUtf8(series[1].labels->rendered()), std::string_view::npos);
}

// Random bytes with a taste for the protocol's own: lines are what the definition says, always.
TEST_F(StoreTest, EveryLineOfRandomDatagramsIsCountedOnce) {
  constexpr std::string_view kPieces[] = {"a",
                                          "spire_server.",
                                          ":",
                                          "|",
                                          "\n",
                                          "1",
                                          "-",
                                          ".",
                                          "c",
                                          "g",
                                          "ms",
                                          "#",
                                          ",",
                                          "status",
                                          "OK",
                                          "@",
                                          "0.1",
                                          "\r",
                                          " ",
                                          "\xff",
                                          "T1",
                                          "nan",
                                          "_e{",
                                          "_sc|",
                                          "|ms|#status:OK\n",
                                          ":1|c\n",
                                          "1e5"};
  std::mt19937 random(42);
  uint64_t lines = 0;
  for (int i = 0; i < 100'000; ++i) {
    std::string datagram;
    for (size_t pieces = random() % 40; pieces > 0; --pieces) {
      datagram += kPieces[random() % std::size(kPieces)];
    }
    const bool truncated = random() % 10 == 0;
    bool inside = false;
    for (const char byte : datagram) {
      lines += byte != '\n' && !inside;
      inside = byte != '\n';
    }
    Feed(datagram, truncated);
    ASSERT_EQ(counts_.lines(), lines) << datagram;
  }
  EXPECT_GT(Outcome(Reject::kNone), 1'000u);
  EXPECT_LE(store_.State().series, 5'000u);
}

}  // namespace
}  // namespace spire_exporter::telemetry
