#include "exporter/http/http_head.h"

#include <gtest/gtest.h>

#include <string>

namespace spire_exporter {
namespace {

HeadScan ScanAll(std::string_view bytes) {
  return HeadScanner(HeadLimits{}).Scan(bytes);
}

TEST(HttpHeadTest, SaysTheSameHoweverTheBytesArePieced) {
  const std::string bytes =
      "\r\nPOST /-/reload?x=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\n"
      "hello";
  const size_t head_bytes = bytes.size() - 5;
  HeadScanner scanner{HeadLimits{}};
  for (size_t i = 0; i < head_bytes; ++i) {
    ASSERT_EQ(scanner.Scan(std::string_view(bytes).substr(0, i)).state,
              HeadScan::State::kIncomplete)
        << i;
  }
  for (const HeadScan& scan : {scanner.Scan(bytes), ScanAll(bytes)}) {
    ASSERT_EQ(scan.state, HeadScan::State::kComplete);
    EXPECT_EQ(scan.head_bytes, head_bytes);
    EXPECT_EQ(scan.head.method, "POST");
    EXPECT_EQ(scan.head.target, "/-/reload?x=1");
    EXPECT_EQ(scan.head.body_bytes, 5U);
    EXPECT_TRUE(scan.head.http11);
    EXPECT_FALSE(scan.head.keep_alive);
    EXPECT_EQ(scan.head.fields, "Host: x\r\nContent-Length: 5\r\nConnection: close");
  }
}

TEST(HttpHeadTest, LimitsHoldToTheByte) {
  const std::string begin = "GET / HTTP/1.1\r\nHost: x\r\nA: ";
  const std::string end = "\r\n\r\n";
  const size_t room = HeadLimits{}.head_bytes - begin.size() - end.size();
  EXPECT_EQ(ScanAll(begin + std::string(room, 'a') + end).state, HeadScan::State::kComplete);
  EXPECT_EQ(ScanAll(begin + std::string(room + 1, 'a') + end).status, 431);
  const auto target = [](size_t bytes) {
    return "GET /?" + std::string(bytes - 2, 'q') + " HTTP/1.0\r\n\r\n";
  };
  EXPECT_EQ(ScanAll(target(HeadLimits{}.target_bytes)).state, HeadScan::State::kComplete);
  EXPECT_EQ(ScanAll(target(HeadLimits{}.target_bytes + 1)).status, 414);
  EXPECT_EQ(
      ScanAll("GET /" + std::string(HeadLimits{}.path_bytes, 'p') + " HTTP/1.0\r\n\r\n").status,
      414);
  EXPECT_EQ(ScanAll("GET /" + std::string(9000, 'p')).status, 414) << "before the line is whole";
}

TEST(HttpHeadTest, TargetsComeOutInOriginForm) {
  const std::pair<std::string, std::string> good[] = {
      {"/a?b", "/a?b"}, {"http://h:1/a?b", "/a?b"}, {"HTTPS://h", "/"}, {"*", "*"}};
  for (const auto& [target, origin] : good) {
    const std::string bytes = "GET " + target + " HTTP/1.0\r\n\r\n";
    const HeadScan scan = ScanAll(bytes);
    ASSERT_EQ(scan.state, HeadScan::State::kComplete) << target;
    EXPECT_EQ(scan.head.target, origin);
  }
  for (const std::string target : {"a", "h:1", "http://h?q", "?q"}) {
    EXPECT_EQ(ScanAll("GET " + target + " HTTP/1.0\r\n\r\n").status, 400) << target;
  }
}

TEST(HttpHeadTest, PathsAreDecodedOnceAndQueriesLeniently) {
  std::string path;
  EXPECT_TRUE(DecodePath("/a%2fb%252f+c?x=%zz", &path));
  EXPECT_EQ(path, "/a/b%2f+c");
  for (const std::string_view bad : {"/%", "/%4", "/%g1", "/%0a", "/%7f", "/%00"}) {
    EXPECT_FALSE(DecodePath(bad, &path)) << bad;
  }
  EXPECT_EQ(DecodeQueryPart("a+b%20c%2B%4"), "a b c+%4");
}

}  // namespace
}  // namespace spire_exporter
