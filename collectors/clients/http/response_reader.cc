#include "collectors/clients/http/response_reader.h"

#include <algorithm>
#include <charconv>

#include "exporter/base/text.h"

namespace spire_exporter {
namespace {

constexpr size_t kMaxChunkLine = 1024;

Error NotHttp(std::string what) {
  return {Code::kDataLoss, "reply is no HTTP: " + std::move(what), "", true};
}

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool ParseNumber(std::string_view text, int base, uint64_t* value) {
  if (text.empty() || text.front() == '-' || text.front() == '+') return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value, base);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

bool ResponseReader::InLines() const {
  return state_ != State::kLength && state_ != State::kUntilEnd && state_ != State::kChunk &&
         state_ != State::kDone;
}

Result<bool> ResponseReader::Feed(std::string_view bytes) {
  while (!bytes.empty() && state_ != State::kDone) {
    if (!InLines()) {
      if (Status status = TakeBody(&bytes); !status.ok()) return std::move(status).error();
      continue;
    }
    const size_t end = bytes.find('\n');
    const std::string_view part = bytes.substr(0, end);
    line_ += part;
    line_bytes_ += part.size() + 1;
    const bool chunk = state_ == State::kChunkSize || state_ == State::kChunkEnd;
    if (chunk ? line_.size() > kMaxChunkLine : line_bytes_ > kMaxHeader) {
      return Error{Code::kResourceExhausted, "reply has too long a head", "", true};
    }
    if (end == std::string_view::npos) break;
    bytes.remove_prefix(end + 1);
    std::string line = std::move(line_);
    line_.clear();
    if (line.ends_with('\r')) line.pop_back();
    if (chunk) line_bytes_ = 0;
    const Result<bool> fed = FeedLine(line);
    if (!fed.ok()) return fed;
  }
  return state_ == State::kDone;
}

Result<bool> ResponseReader::FeedLine(std::string_view line) {
  Status status;
  switch (state_) {
    case State::kStatusLine:
      status = ReadStatusLine(line);
      break;
    case State::kHeaders:
      status = line.empty() ? EndOfHeaders() : ReadHeader(line);
      break;
    case State::kChunkSize:
      status = ReadChunkSize(line);
      break;
    case State::kChunkEnd:
      if (!line.empty()) return NotHttp("a chunk is longer than it said");
      state_ = State::kChunkSize;
      break;
    case State::kTrailers:
      if (line.empty()) state_ = State::kDone;
      break;
    default:
      break;
  }
  if (!status.ok()) return std::move(status).error();
  return state_ == State::kDone;
}

// `HTTP/1.1 200 OK`
Status ResponseReader::ReadStatusLine(std::string_view line) {
  uint64_t code = 0;
  const bool shape = line.size() >= 12 && line.starts_with("HTTP/1.") && line[8] == ' ' &&
                     ParseNumber(line.substr(9, 3), 10, &code) && code >= 100 &&
                     (line.size() == 12 || line[12] == ' ');
  if (!shape) return NotHttp("it begins with " + Quoted(line.substr(0, 40)));
  if (code == 101) return NotHttp("it switches to another protocol");
  reply_.status = static_cast<int>(code);
  state_ = State::kHeaders;
  return {};
}

Status ResponseReader::ReadHeader(std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == 0 || colon == std::string_view::npos) {
    return NotHttp("a header is " + Quoted(line.substr(0, 40)));
  }
  const std::string name = Lower(line.substr(0, colon));
  const std::string_view value = Trim(line.substr(colon + 1));
  if (name == "content-type") {
    reply_.content_type = value;
  } else if (name == "content-length") {
    uint64_t length = 0;
    if (!ParseNumber(value, 10, &length)) return NotHttp("its length is " + Quoted(value));
    if (content_length_.value_or(length) != length) return NotHttp("it has two lengths");
    content_length_ = length;
  } else if (name == "transfer-encoding") {
    if (Lower(value) != "chunked" || chunked_) {
      return Error{Code::kUnimplemented, "reply comes in the encoding " + Quoted(value), "", true};
    }
    chunked_ = true;
  } else if (name == "content-encoding" && Lower(value) != "identity") {
    return Error{Code::kUnimplemented, "reply comes in the encoding " + Quoted(value), "", true};
  }
  return {};
}

Status ResponseReader::EndOfHeaders() {
  if (reply_.status < 200) {  // an interim reply; the total of head bytes bounds how many
    state_ = State::kStatusLine;
    content_length_.reset();
    chunked_ = false;
    return {};
  }
  line_bytes_ = 0;
  if (reply_.status == 204 || reply_.status == 304) {
    state_ = State::kDone;
  } else if (chunked_) {
    state_ = State::kChunkSize;
  } else if (content_length_) {
    left_ = *content_length_;
    if (left_ > max_body_) {
      return Error{Code::kResourceExhausted,
                   "reply of " + std::to_string(left_) + " bytes is over the limit of " +
                       FormatSize(max_body_),
                   "", true};
    }
    reply_.body.reserve(left_);
    state_ = left_ == 0 ? State::kDone : State::kLength;
  } else {
    state_ = State::kUntilEnd;
  }
  return {};
}

Status ResponseReader::ReadChunkSize(std::string_view line) {
  const std::string_view digits = Trim(line.substr(0, line.find(';')));
  if (!ParseNumber(digits, 16, &left_)) return NotHttp("a chunk's size is " + Quoted(digits));
  state_ = left_ == 0 ? State::kTrailers : State::kChunk;
  return {};
}

Status ResponseReader::TakeBody(std::string_view* bytes) {
  const size_t size = state_ == State::kUntilEnd
                          ? bytes->size()
                          : static_cast<size_t>(std::min<uint64_t>(left_, bytes->size()));
  if (size > max_body_ - reply_.body.size()) {
    return Error{Code::kResourceExhausted, "reply is over the limit of " + FormatSize(max_body_),
                 "", true};
  }
  reply_.body += bytes->substr(0, size);
  bytes->remove_prefix(size);
  if (state_ == State::kUntilEnd) return {};
  left_ -= size;
  if (left_ == 0) state_ = state_ == State::kLength ? State::kDone : State::kChunkEnd;
  return {};
}

Status ResponseReader::End() {
  if (state_ == State::kUntilEnd) state_ = State::kDone;
  if (state_ == State::kDone) return {};
  return Error{Code::kUnavailable, "closed by the peer before the reply was whole", "", true};
}

}  // namespace spire_exporter
