#include "exporter/expose/negotiation.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "exporter/expose/header_elements.h"

namespace spire_exporter {
namespace {

constexpr Format kText = Format::kText;
constexpr Format kOm = Format::kOpenMetrics;
constexpr Format kPb = Format::kProtobuf;

struct FormatCase {
  const char* accept;
  Format format;
};

// As Prometheus sends them: 2.42, 2.42 with native histograms, 2.53, 2.53 with native histograms,
// 3.x, 3.x with native histograms, 3.x told to take PrometheusText0.0.4 alone.
constexpr FormatCase kPrometheus[] = {
    {"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;"
     "q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
     kOm},
    {"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,"
     "application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;"
     "q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
     kPb},
    {"application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;"
     "q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
     kOm},
    {"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;"
     "q=0.5,application/openmetrics-text;version=1.0.0;q=0.4,"
     "application/openmetrics-text;version=0.0.1;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
     kPb},
    {"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
     "application/openmetrics-text;version=0.0.1;q=0.4,"
     "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,"
     "*/*;q=0.1",
     kOm},
    {"application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.5,"
     "application/openmetrics-text;version=0.0.1;q=0.4,"
     "text/plain;version=1.0.0;escaping=underscores;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
     kOm},
    {"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;"
     "q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
     "application/openmetrics-text;version=0.0.1;q=0.4,"
     "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,"
     "*/*;q=0.1",
     kPb},
    {"text/plain;version=0.0.4;q=0.2,*/*;q=0.1", kText},
    {"text/plain;version=1.0.0;escaping=dots;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
     kText},
};

constexpr FormatCase kOthers[] = {
    {"", kText},
    {"*/*", kText},
    {"*", kText},
    {"text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8", kText},
    {"text/plain", kText},
    {"application/openmetrics-text", kOm},
    // Protobuf needs its name and both parameters, in any order and case; a wildcard does not mean
    // it.
    {"application/vnd.google.protobuf;encoding=delimited;proto=io.prometheus.client.MetricFamily",
     kPb},
    {"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
     "proto=io.prometheus.client.MetricFamily",
     kText},
    {"Application/Vnd.Google.Protobuf; Proto=\"io.prometheus.client.MetricFamily\"; "
     "Encoding=Delimited; escaping=underscores",
     kPb},
    {"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;"
     "q=0,text/plain;q=0.1",
     kText},
    {"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;"
     "q=0.2,application/openmetrics-text;q=0.3",
     kOm},
    {"application/vnd.google.protobuf", kText},
    {"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily", kText},
    {"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text",
     kText},
    {"application/vnd.google.protobuf;proto=other;encoding=delimited", kText},
    {"application/*, application/openmetrics-text;q=0", kText},
    {"APPLICATION/OpenMetrics-Text; VERSION=1.0.0", kOm},
    {"application/openmetrics-text; version=\"1.0.0\"", kOm},
    {"application/openmetrics-text; version=\"1\\.0.0\"", kOm},
    {"application/openmetrics-text; charset=utf-8; version=1.0.0", kOm},
    {"application/*", kOm},
    {"text/*", kText},
    // Versions that are not ours.
    {"application/openmetrics-text;version=2.0.0", kText},
    {"application/openmetrics-text;version=0.0.1", kText},
    {"text/plain;version=1.0.0;q=1, application/openmetrics-text;version=1.0.0;q=0.1", kOm},
    // Qualities.
    {"text/plain;q=0.5, application/openmetrics-text;q=0.4", kText},
    {"text/plain;q=0.4, application/openmetrics-text;q=0.5", kOm},
    {"text/plain;q=0.500, application/openmetrics-text;q=0.501", kOm},
    {"text/plain;Q=0.4, application/openmetrics-text;Q=0.5", kOm},
    {"application/openmetrics-text;q=0, */*", kText},
    {"text/plain;q=0, */*", kOm},
    {"text/plain;q=0, */*;q=0.001", kOm},
    {"text/*;q=0, */*;q=0.5", kOm},
    {"*/*;q=0", kText},
    {"text/plain;q=0, application/openmetrics-text;q=0", kText},
    {"application/openmetrics-text;q=0.000", kText},
    // The more specific range speaks for the format, wherever it stands.
    {"*/*;q=0.9, application/openmetrics-text;q=0.1", kText},
    {"application/openmetrics-text;q=0.9, application/openmetrics-text;version=1.0.0;q=0.1, "
     "text/plain;q=0.5",
     kText},
    {"application/*;q=0.2, text/*;q=0.1", kOm},
    // Ties: the more specific, then the first named.
    {"text/plain, application/openmetrics-text", kText},
    {"application/openmetrics-text, text/plain", kOm},
    {"application/openmetrics-text;version=1.0.0, text/plain", kOm},
    {"text/plain, application/openmetrics-text;version=1.0.0", kText},
    {"*/*, application/openmetrics-text", kOm},
    {"application/*, */*", kOm},
    // Several lines joined, blanks, empty elements.
    {"text/html, application/openmetrics-text", kOm},
    {" ,, \t application/openmetrics-text ; version = 1.0.0 ;; q=1 ,", kOm},
    // Commas and semicolons in quotes are text.
    {"text/html;x=\"a,application/openmetrics-text;q=1\"", kText},
    {"application/openmetrics-text;x=\"a;version=9\"", kOm},
    {"text/html;x=\"\\\",\", application/openmetrics-text", kOm},
    // What is malformed is passed over, and the rest counts.
    {"application/openmetrics-text;q=2", kText},
    {"application/openmetrics-text;q=-1", kText},
    {"application/openmetrics-text;q=", kText},
    {"application/openmetrics-text;q=1.001", kText},
    {"application/openmetrics-text;q=0x1", kText},
    {"application/openmetrics-text;q=abc, text/plain;q=0.1", kText},
    {"application/openmetrics-text;version", kText},
    {"application/openmetrics-text;=1", kText},
    {"application/openmetrics-text;version=\"1.0.0", kText},
    {"applica\x01tion/openmetrics-text", kText},
    {"application/openmetrics-text/x", kText},
    {"application", kText},
    {"/", kText},
    {";;;,,,;q=1", kText},
    {"\"", kText},
    {"text/html;x=\"\\", kText},
};

TEST(ChooseFormatTest, AnswersEveryPrometheus) {
  for (const FormatCase& c : kPrometheus) EXPECT_EQ(ChooseFormat(c.accept), c.format) << c.accept;
}

TEST(ChooseFormatTest, FollowsTheTable) {
  for (const FormatCase& c : kOthers) EXPECT_EQ(ChooseFormat(c.accept), c.format) << c.accept;
}

TEST(ChooseFormatTest, AnswersAnything) {
  constexpr std::string_view kProtobuf = "application/vnd.google.protobuf";
  constexpr std::string_view kProto = "proto=io.prometheus.client.MetricFamily";
  constexpr std::string_view kWhole =
      "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";
  constexpr std::string_view kPieces[] = {"application/openmetrics-text",
                                          kProtobuf,
                                          kProto,
                                          "encoding=delimited",
                                          kWhole,
                                          "text/plain",
                                          "*/*",
                                          ";",
                                          ",",
                                          "=",
                                          "q=",
                                          "0.5",
                                          "\"",
                                          "\\",
                                          "version",
                                          "1.0.0",
                                          " ",
                                          "\xFF"};
  std::mt19937_64 random(3);
  size_t protobuf = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string accept;
    for (uint64_t left = random() % 20; left > 0; --left) {
      accept += kPieces[random() % std::size(kPieces)];
    }
    const Format format = ChooseFormat(accept);
    const auto holds = [&](std::string_view part) {
      return accept.find(part) != std::string::npos;
    };
    // A part of a name is not enough, and a wildcard does not mean protobuf.
    if (format == kOm) {
      EXPECT_TRUE(holds("application/openmetrics-text") || holds("*/*")) << accept;
    } else if (format == kPb) {
      EXPECT_TRUE(holds(kProtobuf) && holds(kProto) && holds("encoding=delimited")) << accept;
      ++protobuf;
    } else {
      EXPECT_EQ(format, kText);
    }
  }
  EXPECT_GT(protobuf, 100u);
}

struct CodingCase {
  const char* accept_encoding;
  Coding coding;
};

constexpr CodingCase kCodings[] = {
    {"", Coding::kIdentity},
    {"gzip", Coding::kGzip},
    {"GZip", Coding::kGzip},
    {"x-gzip", Coding::kGzip},
    {"deflate, gzip;q=1.0, *;q=0.5", Coding::kGzip},
    {"gzip, deflate, br, zstd", Coding::kGzip},
    {"deflate, br", Coding::kIdentity},
    {"gzipped", Coding::kIdentity},
    {"identity", Coding::kIdentity},
    {"identity, gzip", Coding::kGzip},
    {"identity;q=1, gzip;q=0.5", Coding::kIdentity},
    {"identity;q=0.5, gzip;q=0.5", Coding::kGzip},
    {"identity;q=0, gzip;q=0.001", Coding::kGzip},
    {"gzip;q=0", Coding::kIdentity},
    {"gzip;q=0.0, *", Coding::kIdentity},
    {"*", Coding::kGzip},
    {"*;q=0", Coding::kIdentity},
    {"*;q=0, gzip", Coding::kGzip},
    {"identity;q=0", Coding::kIdentity},
    {"identity;q=0, *;q=0.3", Coding::kGzip},
    {"gzip;q=abc", Coding::kIdentity},
    {"gzip;q=\"1\"", Coding::kGzip},
    {"gzip;q", Coding::kIdentity},
    {",, ;q=1, gzip", Coding::kGzip},
};

TEST(ChooseCodingTest, FollowsTheTable) {
  for (const CodingCase& c : kCodings) {
    EXPECT_EQ(ChooseCoding(c.accept_encoding), c.coding) << c.accept_encoding;
  }
}

TEST(ParseQualityTest, TakesWhatTheGrammarAllows) {
  EXPECT_EQ(ParseQuality("1"), 1000);
  EXPECT_EQ(ParseQuality("1.000"), 1000);
  EXPECT_EQ(ParseQuality("0"), 0);
  EXPECT_EQ(ParseQuality("0."), 0);
  EXPECT_EQ(ParseQuality("0.25"), 250);
  EXPECT_EQ(ParseQuality("0.007"), 7);
  EXPECT_EQ(ParseQuality("0.0000001"), 1);
  EXPECT_EQ(ParseQuality("0.1239"), 123);
  EXPECT_EQ(ParseQuality(std::string("0.5") + std::string(10'000, '0')), 500);
  for (const char* bad : {"", "2", "1.001", "1.0000001", "01", "-0", "+1", ".5", "0,5", "0.5x"}) {
    EXPECT_EQ(ParseQuality(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace spire_exporter
