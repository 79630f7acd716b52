// A connection to the real server, from the socket through civetweb to a handler and back: each
// request that the door's scanner sees must be answered once, in order, by a well-formed response,
// and be to the handler what it was to the scanner. Two parsers that disagree about where a request
// ends are a smuggled request.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/base/clock.h"
#include "exporter/base/logger.h"
#include "exporter/http/http_head.h"
#include "exporter/http/http_server.h"
#include "exporter/http/http_test_server.h"
#include "exporter/http/wire_test_client.h"

namespace {

using namespace spire_exporter;

// More could fill the socket both ways, and then both sides wait for the other.
constexpr size_t kInputMax = 4096;

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "not so: %s\n", what);
  std::abort();
}

// What one connection asks for, as the door's scanner reads it.
struct Asked {
  std::string method;
  std::string path;  // decoded; empty when it cannot be
};
struct Script {
  std::vector<Asked> requests;
  bool refused = false;  // after these, by the scanner
};

Script Read(std::string_view bytes) {
  Script script;
  while (!bytes.empty()) {
    const HeadScan scan = HeadScanner(HeadLimits{}).Scan(bytes);
    script.refused = scan.state == HeadScan::State::kRefused;
    if (scan.state != HeadScan::State::kComplete) break;
    if (bytes.size() - scan.head_bytes < scan.head.body_bytes) break;
    Asked asked{std::string(scan.head.method), {}};
    if (!DecodePath(scan.head.target, &asked.path)) asked.path.clear();
    script.requests.push_back(std::move(asked));
    if (!scan.head.keep_alive) break;
    bytes.remove_prefix(scan.head_bytes + static_cast<size_t>(scan.head.body_bytes));
  }
  return script;
}

// Answers with what it was asked for, as hexadecimal digits, so that the client can compare.
class EchoHandler final : public HttpHandler {
 public:
  HttpResponse Handle(const HttpRequest& request) override {
    for (const auto& [name, value] : request.headers) {
      Require(!name.empty() && name.find_first_of(" :\r\n") == std::string::npos,
              "a field name is a token");
      Require(value.find_first_of("\r\n") == std::string::npos, "a field value is one line");
      Require(value.empty() || (value.front() != ' ' && value.back() != ' '),
              "without blanks around it");
    }
    return HttpResponse::Text(200, Echo(request.method, request.path));
  }
  static std::string Echo(std::string_view method, std::string_view path) {
    return "asked " + std::string(method) + " " + std::string(path) + "\n";
  }
};

bool IsLine(std::string_view line) {
  for (const char c : line) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) return false;
  }
  return true;
}

struct Answer {
  int status = 0;
  bool closes = false;
  std::string_view body;
};

// Takes one response from the front of `bytes`.
Answer TakeAnswer(std::string_view* bytes, bool head_only) {
  constexpr std::string_view kStart = "HTTP/1.1 ";
  Require(bytes->substr(0, kStart.size()) == kStart, "a response begins with its version");
  const size_t end = bytes->find("\r\n\r\n");
  Require(end != std::string_view::npos, "a response has a whole head");
  std::string_view head = bytes->substr(0, end + 2);
  Answer answer;
  answer.status = std::atoi(std::string(head.substr(kStart.size(), 3)).c_str());
  size_t length = std::string_view::npos;
  for (size_t line = head.find("\r\n") + 2; line < head.size();) {
    const size_t next = head.find("\r\n", line);
    const std::string_view field = head.substr(line, next - line);
    Require(IsLine(field) && field.find(": ") != std::string_view::npos, "a field line is one");
    const std::string_view name = field.substr(0, field.find(": "));
    const std::string value(field.substr(name.size() + 2));
    if (name == "Content-Length") {
      Require(length == std::string_view::npos, "one length");
      length = std::stoul(value);
    } else if (name == "Connection") {
      answer.closes = value == "close";
    } else {
      Require(name == "Content-Type" || name == "Date" || name == "X-Content-Type-Options" ||
                  name == "Allow" || name == "Retry-After",
              "a field that the server knows");
    }
    line = next + 2;
  }
  bytes->remove_prefix(end + 4);
  Require(length != std::string_view::npos, "a response has a length");
  if (head_only) length = 0;
  Require(length <= bytes->size(), "a body is as long as it says");
  answer.body = bytes->substr(0, length);
  bytes->remove_prefix(length);
  return answer;
}

void CheckAnswer(const Answer& answer, const Asked& asked) {
  switch (answer.status) {
    case 200:
      Require(asked.path == "/metrics" || asked.path == "/-/reload" || asked.path == "/-/healthy",
              "only what has a route is found");
      if (asked.method != "HEAD") {
        Require(answer.body == EchoHandler::Echo(asked.method, asked.path),
                "the handler sees what the scanner saw");
      }
      return;
    case 400:  // a path that cannot be decoded, or what civetweb would not take
    case 404:
    case 405:
      Require(asked.method == "HEAD" || answer.body.substr(0, 3) == std::to_string(answer.status),
              "a refusal says its status and nothing of the request");
      Require(answer.body.size() < 64, "a refusal is short");
      return;
    default:
      std::fprintf(stderr, "status %d\n", answer.status);
      Require(false, "a whole request has one of these answers");
  }
}

void CheckRefusal(const Answer& answer) {
  static constexpr int kStatuses[] = {400, 411, 413, 414, 417, 431, 501, 505};
  bool known = false;
  for (const int status : kStatuses) known = known || status == answer.status;
  Require(known && answer.closes && answer.body.size() < 64,
          "a refusal is a known one, and the last");
}

class Served {
 public:
  Served()
      : server_(Options("unix:" + folder_.path() + "/s"),
                {{.path = "/metrics", .handler = &echo_, .label = "metrics"},
                 {.path = "/-/reload",
                  .methods = {"POST", "PUT"},
                  .handler = &echo_,
                  .label = "reload"},
                 {.path = "/-/healthy", .handler = &echo_, .label = "healthy", .probe = true}},
                clock_, logger_, nullptr) {
    Require(server_.Start().ok(), "the server starts");
  }
  std::string address() const { return server_.addresses().at(0); }

 private:
  static HttpServerOptions Options(const std::string& address) {
    HttpServerOptions options;
    options.listen_addresses = {address};
    options.workers = 1;
    return options;
  }

  const TempDirectory folder_;
  const RealClock clock_;
  NullLogger logger_;
  EchoHandler echo_;
  HttpServer server_;  // goes first
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Served served;
  if (size < 2 || size > kInputMax) return 0;
  // The first byte tells the size of the pieces in which the rest is sent.
  const size_t piece = data[0] < 128 ? kInputMax : size_t{data[0]} - 127;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Script script = Read(bytes);

  WireClient client(served.address());
  Require(client.connected(), "the server accepts");
  for (size_t at = 0; at < bytes.size() && client.Send(bytes.substr(at, piece)); at += piece) {
  }
  client.EndWriting();
  std::string received;
  Require(client.ReadToEnd(&received), "the server lets nobody wait");

  std::string_view rest = received;
  size_t answered = 0;
  bool closed = false;
  while (answered < script.requests.size() && !closed) {
    const Asked& asked = script.requests[answered++];
    while (rest.substr(0, 12) == "HTTP/1.1 100") rest.remove_prefix(rest.find("\r\n\r\n") + 4);
    const Answer answer = TakeAnswer(&rest, asked.method == "HEAD");
    CheckAnswer(answer, asked);
    closed = answer.closes;
  }
  if (!closed && !rest.empty()) {
    while (rest.substr(0, 12) == "HTTP/1.1 100") rest.remove_prefix(rest.find("\r\n\r\n") + 4);
    if (!rest.empty()) CheckRefusal(TakeAnswer(&rest, false));
  } else if (!closed) {
    Require(!script.refused, "what is refused is told so");
  }
  Require(rest.empty(), "nothing comes after the last answer");
  return 0;
}
