#include "tests/fakes/http_listener.h"

#include <sys/socket.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "exporter/base/text.h"

namespace spire_exporter::fakes {
namespace {

constexpr size_t kMaxRequest = 65536;

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

std::string_view Reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    default:
      return "Internal Server Error";
  }
}

std::string Gzip(const std::string& body) {
  z_stream stream{};
  // 15 bits of window, 16 for the gzip wrapper.
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    return {};
  }
  std::string packed(deflateBound(&stream, static_cast<uLong>(body.size())), '\0');
  std::string input = body;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

}  // namespace

HttpListener::HttpListener(UniqueFd listener, Handler handler)
    : listener_(std::move(listener)), handler_(std::move(handler)) {}

void HttpListener::AppendPoll(std::vector<pollfd>* fds) const {
  if (!hung_ || hung_->way() != HangWay::kNoAccept) {
    fds->push_back(pollfd{listener_.get(), POLLIN, 0});
  }
  for (const Connection& connection : connections_) {
    const int wanted = connection.out.empty() ? POLLIN : POLLOUT;
    fds->push_back(pollfd{connection.fd.get(), static_cast<short>(wanted), 0});
  }
  if (hung_) hung_->AppendPoll(fds);
}

SteadyTime HttpListener::next_due() const {
  return hung_ ? hung_->next_due() : SteadyTime::max();
}

void HttpListener::Pump(SteadyTime now) {
  AcceptAll(now);
  if (hung_) {
    hung_->Pump(now);
    return;
  }
  for (auto it = connections_.begin(); it != connections_.end();) {
    it = Serve(*it) ? std::next(it) : connections_.erase(it);
  }
}

void HttpListener::AcceptAll(SteadyTime now) {
  if (hung_ && hung_->way() == HangWay::kNoAccept) return;
  for (;;) {
    UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd.valid()) return;
    if (hung_) {
      hung_->Adopt(std::move(fd), now);
    } else {
      connections_.push_back(Connection{std::move(fd), {}, {}, false});
    }
  }
}

Status HttpListener::Hang(HangWay way, Duration drip_interval) {
  Answer();
  hung_.emplace(way, drip_interval);
  connections_.clear();
  return way == HangWay::kNoAccept ? backlog_.Fill(listener_.get()) : Status();
}

void HttpListener::Answer() {
  if (!hung_) return;
  hung_.reset();
  backlog_.Clear();
  ::listen(listener_.get(), 128);
}

bool HttpListener::Serve(Connection& connection) {
  if (!Flush(connection)) return false;
  while (connection.out.empty()) {
    std::array<char, 16384> buffer;
    const ssize_t got = ::recv(connection.fd.get(), buffer.data(), buffer.size(), 0);
    if (got == 0) return false;
    if (got < 0) return errno == EAGAIN;
    connection.in.append(buffer.data(), static_cast<size_t>(got));
    if (connection.in.size() > kMaxRequest) return false;
    while (!connection.closing && TakeRequest(connection)) {
    }
    if (!Flush(connection)) return false;
  }
  return true;
}

bool HttpListener::TakeRequest(Connection& connection) {
  const size_t end = connection.in.find("\r\n\r\n");
  if (end == std::string::npos) return false;
  const std::string head = connection.in.substr(0, end);
  size_t length = 0;
  HttpAsk ask;
  bool first = true;
  for (std::string_view line : Split(head, '\n')) {
    line = Trim(line);
    if (std::exchange(first, false)) {
      const std::vector<std::string_view> words = Split(line, ' ');
      ask.method = words.front();
      if (words.size() > 1) ask.path = words[1].substr(0, words[1].find('?'));
      connection.closing = words.size() < 3 || words[2] != "HTTP/1.1";
      continue;
    }
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string name = Lower(line.substr(0, colon));
    const std::string value = Lower(Trim(line.substr(colon + 1)));
    if (name == "content-length")
      length = static_cast<size_t>(std::strtoul(value.c_str(), nullptr, 10));
    if (name == "accept-encoding") ask.gzip = value.find("gzip") != std::string::npos;
    if (name == "connection" && value == "close") connection.closing = true;
  }
  const size_t start = end + 4;
  if (length > kMaxRequest) {
    connection.closing = true;
    length = 0;
  }
  if (connection.in.size() - start < length) {
    connection.closing = false;
    return false;
  }
  ask.body = connection.in.substr(start, length);
  connection.in.erase(0, start + length);
  Respond(connection, ask);
  return true;
}

void HttpListener::Respond(Connection& connection, const HttpAsk& ask) {
  HttpReply reply = handler_(ask);
  std::string& out = connection.out;
  out += "HTTP/1.1 " + std::to_string(reply.status) + ' ';
  out += Reason(reply.status);
  out += "\r\nContent-Type: " + reply.content_type;
  if (reply.may_compress && ask.gzip) {
    reply.body = Gzip(reply.body);
    out += "\r\nContent-Encoding: gzip";
  }
  out += "\r\nContent-Length: " + std::to_string(reply.body.size());
  if (connection.closing) out += "\r\nConnection: close";
  out += "\r\n\r\n";
  if (ask.method != "HEAD") out += reply.body;
}

bool HttpListener::Flush(Connection& connection) {
  while (!connection.out.empty()) {
    const ssize_t sent =
        ::send(connection.fd.get(), connection.out.data(), connection.out.size(), MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN;
    connection.out.erase(0, static_cast<size_t>(sent));
  }
  return !connection.closing;
}

}  // namespace spire_exporter::fakes
