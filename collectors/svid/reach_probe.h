// One look at servers behind their addresses, each by the stages of the way to it.
#ifndef COLLECTORS_SVID_REACH_PROBE_H_
#define COLLECTORS_SVID_REACH_PROBE_H_

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "collectors/clients/net/dial.h"
#include "collectors/clients/spire/call.h"
#include "collectors/clients/spire/server_port.h"
#include "exporter/base/clock.h"
#include "exporter/base/result.h"

namespace spire_exporter::svid {

enum class ReachOutcome { kOk, kFailed, kTimeout };
ReachOutcome OutcomeOf(Code code);

struct ReachAttempt {
  spire::ServerStage stage;
  ReachOutcome outcome;
  Duration took;
};

struct ReachTask {
  SocketAddress address;
  // It served when it was last looked at: the bundle is asked for at once, and the handshake is
  // looked at by itself only if that fails. That costs the server one handshake and not two.
  bool served_before = false;
};

struct ReachProbe {
  spire::ServerStage ended = spire::ServerStage::kConnect;
  Code code = Code::kOk;           // of what ended it there
  std::vector<std::string> chain;  // as it was shown; empty when it came to no handshake
  std::optional<spire::ServedBundle> served;
  std::vector<ReachAttempt> attempts;  // in the order made; connect and tls are of one handshake
};

// Safe from any thread; back by the call's deadline.
ReachProbe ProbeServer(const ReachTask& task, const spire::Call& call);

// All of them, in their order, on at most four threads of its own, each with an equal part of the
// time, so that those that hang leave the others theirs.
std::vector<ReachProbe> ProbeServers(std::span<const ReachTask> tasks, const spire::Call& call);

}  // namespace spire_exporter::svid

#endif  // COLLECTORS_SVID_REACH_PROBE_H_
