// For tests: certificates of servers, and looks at them.
#ifndef COLLECTORS_SVID_TEST_SERVERS_H_
#define COLLECTORS_SVID_TEST_SERVERS_H_

#include <chrono>
#include <string>
#include <vector>

#include "collectors/clients/spiffe/test_identity.h"
#include "collectors/clients/spiffe/x509_svid.h"
#include "collectors/clients/spire/server_port.h"
#include "collectors/svid/reach_probe.h"
#include "exporter/base/clock.h"

namespace spire_exporter::svid {

inline constexpr std::chrono::sys_seconds kTestNow{std::chrono::seconds(1'800'000'600)};

// A root and a server's SVID by it, from 600 s before kTestNow to `after` and `root_after` beyond.
struct TestServer {
  spiffe::TestIssued root, leaf;
};
TestServer MakeTestServer(std::chrono::seconds after = std::chrono::seconds(3000),
                          std::chrono::seconds root_after = std::chrono::seconds(9000));

// What it serves; its own root and those of `others`.
spire::ServedBundle ServedBy(const TestServer& server, const std::vector<TestServer>& others = {},
                             uint64_t sequence_number = 1);
// A look at it that came all the way.
ReachProbe Serving(const TestServer& server, const std::vector<TestServer>& others = {},
                   uint64_t sequence_number = 1);
// A look that ended there.
ReachProbe Ended(spire::ServerStage stage, Code code);

}  // namespace spire_exporter::svid

#endif  // COLLECTORS_SVID_TEST_SERVERS_H_
