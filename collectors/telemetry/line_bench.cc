#include "collectors/telemetry/line_bench.h"

#include <cstdio>
#include <random>
#include <string_view>

namespace spire_exporter::telemetry {
namespace {

constexpr std::string_view kCalls[] = {
    "rpc.agent.v1.agent.attest_agent",
    "rpc.agent.v1.agent.renew_agent",
    "rpc.agent.v1.agent.post_status",
    "rpc.agent.v1.agent.list_agents",
    "rpc.entry.v1.entry.sync_authorized_entries",
    "rpc.entry.v1.entry.batch_create_entry",
    "rpc.entry.v1.entry.list_entries",
    "rpc.svid.v1.svid.batch_new_x509svid",
    "rpc.svid.v1.svid.new_jwtsvid",
    "rpc.svid.v1.svid.mint_x509svid",
    "rpc.bundle.v1.bundle.get_bundle",
    "datastore.bundle.fetch",
    "datastore.bundle.append",
    "datastore.node.fetch",
    "datastore.node.update",
    "datastore.node.list",
    "datastore.node_event.list",
    "datastore.registration_entry.create",
    "datastore.registration_entry.fetch",
    "datastore.registration_entry.list",
    "datastore.registration_entry_event.list",
    "datastore.node.selectors.list",
    "datastore.join_token.fetch",
    "datastore.ca_journal.set",
    "server_ca.manager.x509_ca.prepare",
    "entry.cache.reload",
};
constexpr std::string_view kStatuses[] = {"OK",          "Unknown",  "Internal",
                                          "Unavailable", "NotFound", "PermissionDenied"};

std::vector<std::string> Heads() {
  std::vector<std::string> heads;
  for (const std::string_view call : kCalls) {
    for (const std::string_view status : kStatuses) {
      heads.push_back("spire_server." + std::string(call) + "|" + std::string(status));
    }
  }
  return heads;
}

std::string MakeLine(const std::string& head, bool timer, double milliseconds) {
  const size_t bar = head.find('|');
  char value[64] = "1";
  if (timer) std::snprintf(value, sizeof(value), "%.6f", milliseconds);
  return head.substr(0, bar) + (timer ? ".elapsed_time:" : ":") + value + (timer ? "|ms" : "|c") +
         "|#status:" + head.substr(bar + 1) + ",host:spire-server-0\n";
}

}  // namespace

LineBench::LineBench(size_t lines, size_t datagram_max, uint64_t seed)
    : lines_(lines), store_(StoreOptions{}, clock_) {
  const std::vector<std::string> heads = Heads();
  std::mt19937_64 random(seed);
  std::lognormal_distribution<double> duration(1.0, 1.5);
  std::string datagram;
  for (size_t i = 0; i < lines; ++i) {
    const std::string line =
        MakeLine(heads[random() % heads.size()], random() % 2 == 0, duration(random));
    if (datagram.size() + line.size() > datagram_max) {
      datagrams_.push_back(datagram);
      datagram.clear();
    }
    datagram += line;
    bytes_ += line.size();
  }
  datagrams_.push_back(datagram);
  Run();
}

void LineBench::Run() {
  const Arrival arrival{clock_.Steady(), clock_.Steady()};
  for (const std::string& datagram : datagrams_) store_.Feed(datagram, false, arrival, &counts_);
}

uint64_t LineBench::rejected() const {
  return counts_.rejected();
}

}  // namespace spire_exporter::telemetry
