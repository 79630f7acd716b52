// For tests: the port of a server and the socket of an agent, of our own making, whose answers the
// test sets.
#ifndef COLLECTORS_SVID_TEST_PORT_H_
#define COLLECTORS_SVID_TEST_PORT_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "collectors/clients/net/dial.h"
#include "collectors/clients/spire/channel.h"
#include "collectors/svid/test_servers.h"

namespace spire_exporter::svid {

// Its answers may be changed while it runs.
class TestPort {
 public:
  enum class Answer { kBundle, kDatabaseDown, kNothing, kNoSpire };

  explicit TestPort(TestServer server);
  ~TestPort();
  void SetAnswer(Answer answer);
  // Whose roots it serves; its own at first.
  void SetRoots(const std::vector<TestServer>& servers, uint64_t sequence_number);

  // What it calls itself.
  void SetTrustDomain(const std::string& trust_domain);

  SocketAddress Address() const;
  int handshakes() const;  // that came to an end
  int bundles() const;     // that were asked for
  const TestServer& server() const;

 private:
  struct Rest;  // gRPC's
  std::unique_ptr<Rest> rest_;
};

// An agent that serves an SVID's id and the roots of `servers` for example.org, with a partner's
// beside them; denies everything where there are none.
class TestAgent {
 public:
  explicit TestAgent(const std::vector<TestServer>& servers);
  ~TestAgent();
  // From now on: our entry is gone.
  void Deny();
  std::shared_ptr<spire::Channel> Channel() const;

 private:
  struct Rest;
  std::filesystem::path folder_;
  std::unique_ptr<Rest> rest_;
};

}  // namespace spire_exporter::svid

#endif  // COLLECTORS_SVID_TEST_PORT_H_
