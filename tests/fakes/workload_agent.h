// An agent's Workload API on a real socket, X.509-SVIDs alone, that serves what it is told to.
#ifndef TESTS_FAKES_WORKLOAD_AGENT_H_
#define TESTS_FAKES_WORKLOAD_AGENT_H_

#include <map>
#include <memory>
#include <string>

namespace spire_exporter {

// Certificates as DER, one after the other.
struct ServedSvid {
  std::string spiffe_id;
  std::string chain;
  std::string key;  // PKCS #8
  std::string bundle;
  std::map<std::string, std::string> federated_bundles{};  // by `spiffe://partner.test`
};

// Safe from any thread; Start() and Stop() from one.
class WorkloadAgent {
 public:
  static std::unique_ptr<WorkloadAgent> At(std::string socket);
  virtual ~WorkloadAgent() = default;

  // Until Start() nobody listens, and after Stop() nobody does again.
  virtual void Start() = 0;
  virtual void Stop() = 0;
  // Sends it to all who watch, now and later.
  virtual void Serve(ServedSvid served) = 0;
  // Ends all streams, and those that come, with PERMISSION_DENIED.
  virtual void Deny() = 0;

 protected:
  WorkloadAgent() = default;
};

}  // namespace spire_exporter

#endif  // TESTS_FAKES_WORKLOAD_AGENT_H_
