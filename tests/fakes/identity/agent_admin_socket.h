// A SPIRE agent as its administrator sees it: Debug/GetInfo on a unix socket.
#ifndef TESTS_FAKES_IDENTITY_AGENT_ADMIN_SOCKET_H_
#define TESTS_FAKES_IDENTITY_AGENT_ADMIN_SOCKET_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "exporter/base/result.h"
#include "tests/fakes/identity/wire_front.h"

namespace spire_exporter::fakes {

// What GetInfo answers; zero is left out on the wire, as SPIRE does.
struct AgentInfoAnswer {
  std::vector<std::chrono::sys_seconds> svid_chain_expiry;  // the leaf first
  std::chrono::seconds uptime{0};
  std::chrono::sys_seconds last_sync_success;  // 1970: none yet
  int32_t svids_count = 0;                     // of agents before 1.13 alone
  int32_t cached_x509_svids = 0;
  int32_t cached_jwt_svids = 0;
  int32_t cached_svidstore_svids = 0;
};

// Runs until it goes; its methods are safe from any thread. Every method but GetInfo is
// kUnimplemented. Unlike an agent, it keeps no answer for 5 s.
class FakeAgentAdmin {
 public:
  static Result<std::unique_ptr<FakeAgentAdmin>> Start(const std::string& path);
  ~FakeAgentAdmin();

  // `unix:///run/admin.sock`
  std::string address() const;
  void Tell(AgentInfoAnswer answer);
  // kOk ends it.
  void Fail(Code code, const std::string& message);
  // As once the agent's own SVID has ended: kInternal, "failed to verify agent SVID".
  void FailVerification();
  void Hang(bool hang);
  // Below gRPC.
  WireFront& wire() { return *front_; }

  uint64_t calls() const;

 private:
  struct Service;
  FakeAgentAdmin();

  std::unique_ptr<Service> service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<WireFront> front_;
};

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_IDENTITY_AGENT_ADMIN_SOCKET_H_
