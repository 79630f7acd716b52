// The reading half of HTTP/1.1 (RFC 9112) for the answer to a GET, apart from any socket. For peers
// that are not trusted: every part is bounded.
#ifndef COLLECTORS_CLIENTS_HTTP_RESPONSE_READER_H_
#define COLLECTORS_CLIENTS_HTTP_RESPONSE_READER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "exporter/base/result.h"

namespace spire_exporter {

struct HttpReply {
  int status = 0;
  std::string content_type;
  std::string body;
};

// Takes the bytes as they come. Used by one thread.
class ResponseReader {
 public:
  static constexpr size_t kMaxHeader = 32 * 1024;  // all head and trailer lines together

  explicit ResponseReader(uint64_t max_body) : max_body_(max_body) {}

  // True once the reply is whole; bytes behind it are dropped. kDataLoss for what is no HTTP,
  // kResourceExhausted beyond a limit, kUnimplemented for an encoding that was not asked for.
  Result<bool> Feed(std::string_view bytes);
  // The peer has closed: whole only where nothing announced how much would come.
  Status End();

  HttpReply Take() { return std::move(reply_); }

 private:
  enum class State {
    kStatusLine,
    kHeaders,
    kLength,
    kUntilEnd,
    kChunkSize,
    kChunk,
    kChunkEnd,
    kTrailers,
    kDone
  };

  Result<bool> FeedLine(std::string_view line);
  Status ReadStatusLine(std::string_view line);
  Status ReadHeader(std::string_view line);
  Status EndOfHeaders();
  Status ReadChunkSize(std::string_view line);
  Status TakeBody(std::string_view* bytes);
  bool InLines() const;

  const uint64_t max_body_;
  State state_ = State::kStatusLine;
  HttpReply reply_;
  std::string line_;       // an unfinished one
  size_t line_bytes_ = 0;  // of all lines of head and trailer
  uint64_t left_ = 0;      // of the body or of the chunk
  std::optional<uint64_t> content_length_;
  bool chunked_ = false;
};

}  // namespace spire_exporter

#endif  // COLLECTORS_CLIENTS_HTTP_RESPONSE_READER_H_
