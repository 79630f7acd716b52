// A small HTTP/1.1 server as far as SPIRE's endpoints need one, which can be made to hang.
#ifndef TESTS_FAKES_HTTP_LISTENER_H_
#define TESTS_FAKES_HTTP_LISTENER_H_

#include <poll.h>

#include <functional>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "exporter/base/clock.h"
#include "exporter/base/result.h"
#include "exporter/base/unique_fd.h"
#include "tests/fakes/hang.h"

namespace spire_exporter::fakes {

struct HttpAsk {
  std::string method;
  std::string path;  // without the query
  std::string body;
  bool gzip = false;  // accepted by the peer
};

struct HttpReply {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  bool may_compress = false;
};

// Driven from outside: AppendPoll(), poll(2), Pump(). Requests of up to 64 KiB; connections are
// kept alive. Not safe from several threads.
class HttpListener {
 public:
  using Handler = std::function<HttpReply(const HttpAsk&)>;

  HttpListener(UniqueFd listener, Handler handler);

  std::string address() const { return ListenAddress(listener_.get()); }
  void AppendPoll(std::vector<pollfd>* fds) const;
  void Pump(SteadyTime now);
  SteadyTime next_due() const;

  // Starts to hang, with open connections too (a refused or silent peer keeps nobody), or to answer
  // again.
  Status Hang(HangWay way, Duration drip_interval);
  void Answer();

 private:
  struct Connection {
    UniqueFd fd;
    std::string in;
    std::string out;
    bool closing = false;
  };
  void AcceptAll(SteadyTime now);
  // False when the connection is over.
  bool Serve(Connection& connection);
  bool TakeRequest(Connection& connection);
  void Respond(Connection& connection, const HttpAsk& ask);
  static bool Flush(Connection& connection);

  UniqueFd listener_;
  Handler handler_;
  std::list<Connection> connections_;
  std::optional<HungPeers> hung_;
  FullBacklog backlog_;
};

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_HTTP_LISTENER_H_
