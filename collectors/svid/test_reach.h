// For tests: the collector that looks at servers, and what it says.
#ifndef COLLECTORS_SVID_TEST_REACH_H_
#define COLLECTORS_SVID_TEST_REACH_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collectors/clients/net/dial.h"
#include "collectors/clients/spire/runway_facts.h"
#include "collectors/svid/reach_collector.h"
#include "collectors/svid/test_servers.h"
#include "exporter/base/clock.h"
#include "exporter/collect/collector.h"

namespace spire_exporter::svid {

// The time of TestServers, going on with the machine's.
class TestServersClock final : public Clock {
 public:
  SteadyTime Steady() const override { return real_.Steady(); }
  SystemTime System() const override { return kTestNow + (real_.Steady() - start_); }

 private:
  const RealClock real_{};
  const SteadyTime start_ = RealClock().Steady();
};

// A collector and what it says.
class Watch {
 public:
  // Looks at `addresses` of the time of each round, and at none when there are none.
  Watch(std::vector<SocketAddress>* addresses, ReachOptions options,
        std::shared_ptr<spire::Channel> agent = nullptr);

  void Round(std::stop_token stop = {});
  std::optional<double> Get(const std::string& name, const std::string& labels = "") const;
  // The state of a set that is 1.
  std::string State(const std::string& name, const std::string& labels = "") const;
  spire::ServersFact fact() const;
  Duration took() const { return took_; }
  size_t series() const { return page_.size(); }
  const Result<Reading>& reading() const { return reading_; }
  const Collector& collector() const { return *collector_; }
  std::string Page() const;

 private:
  const TestServersClock clock_;
  FactsBoard facts_;
  std::unique_ptr<Collector> collector_;
  Result<Reading> reading_ = Error{};
  std::map<std::string, double> page_;
  Duration took_{};
};

}  // namespace spire_exporter::svid

#endif  // COLLECTORS_SVID_TEST_REACH_H_
