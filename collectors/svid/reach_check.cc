#include "collectors/svid/reach_check.h"

#include <algorithm>
#include <string>
#include <vector>

#include "collectors/svid/reach_probe.h"

namespace spire_exporter::svid {
namespace {

using spire::ServerStage;

const char* RemedyOf(ServerStage stage) {
  switch (stage) {
    case ServerStage::kName:
      return "correct svid.server.address, or look at the name service";
    case ServerStage::kConnect:
      return "start the server, or open the way to its port";
    case ServerStage::kTls:
      return "look at what listens there: a SPIRE server ends TLS itself";
    case ServerStage::kBundle:
      return "look at the server's log and at its database";
    case ServerStage::kDone:
      break;
  }
  return "";
}

}  // namespace

CheckLine CheckServers(const ReachOptions& options, const ResolveServers& resolve,
                       const Clock& clock, const Deadline& deadline) {
  CheckLine line{"svid server " + options.address, false, "", ""};
  const Deadline until =
      Deadline::After(clock, std::min(options.timeout, deadline.Remaining(clock)));
  const auto addresses =
      resolve(Waiter(Deadline::After(clock, until.Remaining(clock) / 2), clock, {}));
  if (!addresses.ok() || addresses->empty()) {
    line.detail = "fails at the stage name: " +
                  (addresses.ok() ? "it stands for no address" : addresses.error().what);
    line.remedy = RemedyOf(ServerStage::kName);
    return line;
  }
  std::vector<ReachTask> tasks;
  for (const SocketAddress& address : *addresses) tasks.push_back({address, false});
  const std::vector<ReachProbe> probes = ProbeServers(tasks, {until, {}, clock});
  const auto serves = [](const ReachProbe& probe) { return probe.ended == ServerStage::kDone; };
  const std::string serving = std::to_string(std::count_if(probes.begin(), probes.end(), serves)) +
                              " of " + std::to_string(probes.size()) +
                              " addresses serve their bundle";
  const auto bad = std::find_if_not(probes.begin(), probes.end(), serves);
  if (bad == probes.end()) {
    line.good = true;
    line.detail = serving;
    return line;
  }
  line.detail = "fails at the stage " + std::string(ServerStageName(bad->ended)) + " (" +
                std::string(CodeName(bad->code)) + "); " + serving;
  line.remedy = RemedyOf(bad->ended);
  return line;
}

}  // namespace spire_exporter::svid
