#include "collectors/clients/http/response_reader.h"

#include <gtest/gtest.h>

#include <random>

namespace spire_exporter {
namespace {

// Feeds `text` in pieces of `step` bytes, then the end.
Result<HttpReply> Read(std::string_view text, size_t step = 1, uint64_t max_body = 100) {
  ResponseReader reader(max_body);
  while (!text.empty()) {
    const auto whole = reader.Feed(text.substr(0, step));
    if (!whole.ok()) return whole.error();
    if (*whole) return reader.Take();
    text.remove_prefix(std::min(step, text.size()));
  }
  if (Status status = reader.End(); !status.ok()) return std::move(status).error();
  return reader.Take();
}

void ExpectBody(std::string_view text, std::string_view body) {
  for (const size_t step : {1u, 7u, 1000u}) {
    const auto reply = Read(text, step);
    ASSERT_TRUE(reply.ok()) << reply.error().what;
    EXPECT_EQ(reply->status, 200);
    EXPECT_EQ(reply->body, body);
  }
}

Code Failure(std::string_view text, uint64_t max_body = 100) {
  const auto reply = Read(text, 3, max_body);
  EXPECT_FALSE(reply.ok()) << text;
  return reply.ok() ? Code::kOk : reply.error().code;
}

TEST(ResponseReaderTest, ReadsABodyOfKnownLength) {
  ExpectBody("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhellobeyond", "hello");
}

TEST(ResponseReaderTest, ReadsABodyUntilTheEnd) {
  ExpectBody("HTTP/1.0 200 OK\r\n\r\nhello", "hello");
}

TEST(ResponseReaderTest, ReadsChunks) {
  ExpectBody(
      "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n"
      "3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nTrailer: 1\r\n\r\n",
      "hello");
}

TEST(ResponseReaderTest, SkipsInterimReplies) {
  ExpectBody(
      "HTTP/1.1 100 Continue\r\nContent-Length: 9\r\n\r\n"
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
      "hello");
}

TEST(ResponseReaderTest, KeepsTheContentType) {
  const auto reply =
      Read("HTTP/1.1 200\r\ncontent-TYPE:  text/plain \r\ncontent-length: 0\r\n\r\n");
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reply->content_type, "text/plain");
}

TEST(ResponseReaderTest, NoticesAnEarlyEnd) {
  EXPECT_EQ(Failure(""), Code::kUnavailable);
  EXPECT_EQ(Failure("HTTP/1.1 200 OK\r\n"), Code::kUnavailable);
  EXPECT_EQ(Failure("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell"), Code::kUnavailable);
  EXPECT_EQ(Failure("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
            Code::kUnavailable);
}

TEST(ResponseReaderTest, RefusesWhatIsNoHttp) {
  EXPECT_EQ(Failure("SSH-2.0-OpenSSH_9.2\r\n"), Code::kDataLoss);
  EXPECT_EQ(Failure("HTTP/1.1 2x0 OK\r\n\r\n"), Code::kDataLoss);
  EXPECT_EQ(Failure("HTTP/1.1 101 Switching\r\n\r\n"), Code::kDataLoss);
  EXPECT_EQ(Failure("HTTP/1.1 200 OK\r\nno colon\r\n\r\n"), Code::kDataLoss);
  EXPECT_EQ(Failure("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), Code::kDataLoss);
  EXPECT_EQ(Failure("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
            Code::kDataLoss);
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(Failure(chunked + "x\r\n"), Code::kDataLoss);
  EXPECT_EQ(Failure(chunked + "1\r\nab\r\n"), Code::kDataLoss);
  EXPECT_EQ(Failure(chunked + "fffffffffffffffff\r\n"), Code::kDataLoss);
}

TEST(ResponseReaderTest, RefusesEncodingsThatItDidNotAskFor) {
  EXPECT_EQ(Failure("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"), Code::kUnimplemented);
  EXPECT_EQ(Failure("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
            Code::kUnimplemented);
}

TEST(ResponseReaderTest, KeepsItsLimits) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  EXPECT_EQ(Failure(ok + "Content-Length: 101\r\n\r\n"), Code::kResourceExhausted);
  EXPECT_EQ(Failure(ok + "Content-Length: 18446744073709551615\r\n\r\n"), Code::kResourceExhausted);
  EXPECT_EQ(Failure(ok + "\r\n" + std::string(101, 'x')), Code::kResourceExhausted);
  EXPECT_EQ(Failure(ok + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n" +
                    std::string(101, 'x')),
            Code::kResourceExhausted);
  EXPECT_EQ(Failure(ok + "X: " + std::string(40000, 'x')), Code::kResourceExhausted);
  std::string interim;
  for (int i = 0; i < 2000; ++i) interim += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_EQ(Failure(interim), Code::kResourceExhausted);
}

// However a reply is cut into pieces, it is read alike, damaged or not.
TEST(ResponseReaderTest, PiecesDoNotMatter) {
  std::mt19937 random(3);
  const std::string good =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n";
  for (int round = 0; round < 2000; ++round) {
    std::string text = good;
    for (size_t i = 0; i < random() % 3; ++i) {
      text[random() % text.size()] = "\r\n:0f; x"[random() % 8];
    }
    const auto first = Read(text, 1);
    const auto second = Read(text, 1 + random() % 20);
    ASSERT_EQ(first.ok(), second.ok()) << text;
    if (first.ok()) {
      ASSERT_EQ(first->body, second->body);
    }
  }
}

}  // namespace
}  // namespace spire_exporter
