// For tests: the TLS side of a SPIRE server's port. Accepts on 127.0.0.1, shakes hands with a
// certificate of the test's, asks for none, and relays what comes to a TestRpcServer.
#ifndef COLLECTORS_CLIENTS_SPIRE_TEST_TLS_SERVER_H_
#define COLLECTORS_CLIENTS_SPIRE_TEST_TLS_SERVER_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "collectors/clients/net/dial.h"

namespace spire_exporter::spire {

struct TestTlsIdentity {
  std::vector<std::string> chain;  // DER, the leaf first
  std::string key;                 // PKCS #8
};

class TestTlsServer {
 public:
  // `serve` takes the plain end of each connection. Throws std::runtime_error.
  static std::unique_ptr<TestTlsServer> Start(TestTlsIdentity identity,
                                              std::function<void(int fd)> serve);
  virtual ~TestTlsServer() = default;

  virtual SocketAddress Address() const = 0;

 protected:
  TestTlsServer() = default;
};

// 127.0.0.1 and a port.
SocketAddress LoopbackAddress(int port);

}  // namespace spire_exporter::spire

#endif  // COLLECTORS_CLIENTS_SPIRE_TEST_TLS_SERVER_H_
