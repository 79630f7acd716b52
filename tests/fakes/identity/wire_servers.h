// How a simulated agent gets through to servers: by TLS and GetBundle, as whoever stands beside it.
#ifndef TESTS_FAKES_IDENTITY_WIRE_SERVERS_H_
#define TESTS_FAKES_IDENTITY_WIRE_SERVERS_H_

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "exporter/base/clock.h"
#include "tests/fakes/identity/lab_authorities.h"
#include "tests/fakes/identity/sim_agent.h"

namespace spire_exporter::fakes {

// A server that answers and whose chain verifies signs; with what, the lab's folder says.
// Addresses are tried in turn, beginning with the one that was good last.
class WireServers final : public Servers {
 public:
  // `127.0.0.1:8081`, numbers alone.
  WireServers(std::vector<std::string> addresses, std::string folder, const Clock& clock);

  Result<ReachedServer> Reach(const std::vector<std::string>& roots, Duration timeout) override;
  Status Sign(const Authority& authority, Duration timeout) override;
  // Every call ends at once with kCancelled, from now on.
  void Stop();

 private:
  Result<ReachedServer> ReachOne(const std::string& address, const std::vector<std::string>& roots,
                                 Duration timeout) const;

  const std::vector<std::string> addresses_;
  const LabAuthorities authorities_;
  const Clock& clock_;
  std::stop_source stop_;
  std::mutex mutex_;  // of the wait alone
  std::condition_variable_any wait_;
  std::atomic<size_t> good_{0};  // relaxed: where to begin
};

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_IDENTITY_WIRE_SERVERS_H_
