// The simulator's HTTP sides: SPIRE's Prometheus and health listeners, and the one by which a test
// tells it what to do.
#ifndef TESTS_FAKES_ENDPOINTS_H_
#define TESTS_FAKES_ENDPOINTS_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/fakes/http_listener.h"
#include "tests/fakes/simulator.h"

namespace spire_exporter::fakes {

struct EndpointOptions {
  std::string prometheus;  // each `HOST:PORT`; empty: none
  std::string health;
  std::string control;
};

// Driven like HttpListener. Not safe from several threads. The simulator outlives it.
class Endpoints {
 public:
  static Result<std::unique_ptr<Endpoints>> Open(const EndpointOptions& options,
                                                 Simulator* simulator);

  void AppendPoll(std::vector<pollfd>* fds) const;
  void Pump(SteadyTime now);
  SteadyTime next_due() const;
  // `prometheus=127.0.0.1:9988 health=... control=...`
  std::string Addresses() const;

  // One command of the control listener; the answer is what the command tells, often nothing.
  //
  //   rate N                 lines a second on top of the load, 0 ends it
  //   garbage N              datagrams a second that are no lines
  //   tags N                 lines a second with a tag value never seen before
  //   stop | resume          SPIRE does nothing; goes on
  //   errors SHARE [STATUS]  of RPCs and datastore calls, 0 to 1
  //   latency FACTOR         on all calls
  //   restart                as after a crash
  //   agents N | workloads N restarts with another fleet
  //   health well|failing|refusing|unattested
  //   hang prometheus|health no-accept|accept-only|drip|reset|flood|none
  //   stats                  what became of lines and datagrams so far
  Result<std::string> Command(std::string_view line);
  // Commands that come first; nothing means that it is none of them.
  using More = std::function<std::optional<Result<std::string>>(std::string_view line)>;
  void Extend(More more) { more_ = std::move(more); }

 private:
  explicit Endpoints(Simulator* simulator) : simulator_(*simulator) {}
  Status Add(const std::string& name, const std::string& address, HttpListener::Handler handler);
  HttpReply Control(const HttpAsk& ask);
  Result<std::string> Hang(std::string_view name, std::string_view way);
  Result<std::string> CommandWithNumber(std::string_view name, std::string_view argument,
                                        std::string_view more);

  struct Named {
    std::string name;
    std::unique_ptr<HttpListener> listener;
  };
  Simulator& simulator_;
  More more_;
  std::vector<Named> listeners_;
};

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_ENDPOINTS_H_
