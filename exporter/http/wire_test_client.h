// A plain client for the wire tests: bytes out, bytes in, every wait bounded.
#ifndef EXPORTER_HTTP_WIRE_TEST_CLIENT_H_
#define EXPORTER_HTTP_WIRE_TEST_CLIENT_H_

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "exporter/base/unique_fd.h"

namespace spire_exporter {

// How long a test waits for what must come; generous, because only a failure takes that long.
constexpr std::chrono::seconds kPatience{20};

inline constexpr std::string_view kGet = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";

struct WireResponse {
  int status = 0;                              // 0: none came
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::string head;
};

class WireClient {
 public:
  // To an address as HttpServer::addresses() gives it; `source` is the v4 address to come from.
  // `receive_buffer` makes the socket take little at a time.
  explicit WireClient(const std::string& address, const std::string& source = "",
                      int receive_buffer = 0);

  bool connected() const { return connected_; }
  int fd() const { return fd_.get(); }
  bool Send(std::string_view bytes);
  // One response by its Content-Length; `head_only` for HEAD.
  WireResponse Read(bool head_only = false, std::chrono::milliseconds patience = kPatience);
  // Until the server closes. False if it does not in time.
  bool ReadToEnd(std::string* bytes, std::chrono::milliseconds patience = kPatience);
  void EndWriting();
  void Close() { fd_.Reset(); }

 private:
  // Appends what comes; false at the end or after the deadline.
  bool More(std::chrono::steady_clock::time_point until, bool* ended);

  UniqueFd fd_;
  bool connected_ = false;
  std::string buffer_;
};

// `GET path` with a Host, on a connection of its own.
WireResponse Get(const std::string& address, std::string_view path,
                 std::chrono::milliseconds patience = kPatience);

// Asks until it holds; false if it does not in time.
bool Eventually(const std::function<bool()>& holds);

}  // namespace spire_exporter

#endif  // EXPORTER_HTTP_WIRE_TEST_CLIENT_H_
