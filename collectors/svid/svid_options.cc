#include "collectors/svid/svid_options.h"

#include <chrono>
#include <utility>

#include "collectors/clients/spiffe/spiffe_id.h"
#include "collectors/clients/spire/channel.h"
#include "collectors/svid/reach_collector.h"
#include "exporter/base/text.h"

namespace spire_exporter::svid {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::string_view kOwnPort = "127.0.0.1:8081";
constexpr size_t kAudienceMax = 128;

Status ReadServer(const ConfigNode& node, Role role, ReachOptions* options) {
  ConfigReader reader(node);
  if (role == Role::kServer) options->address = kOwnPort;
  if (role == Role::kAgent) options->interval = kAgentReachInterval;
  reader.Read("address", &options->address);
  reader.Read("bootstrap_bundle_file", &options->bootstrap_bundle_file);
  reader.Read("interval", &options->interval, seconds(5), hours(1));
  reader.Read("timeout", &options->timeout, milliseconds(500), minutes(1));
  if (!options->address.empty()) {
    if (const auto parsed = ParseServerAddresses(options->address); !parsed.ok()) {
      reader.Fail("address", parsed.error().what);
    }
  }
  return reader.Finish();
}

Status ReadCanary(const ConfigNode& node, CanaryOptions* options) {
  ConfigReader reader(node);
  reader.Read("socket", &options->socket);
  reader.Read("jwt_audience", &options->audience);
  reader.Read("spiffe_id", &options->spiffe_id);
  reader.Read("interval", &options->interval, seconds(5), hours(1));
  reader.Read("timeout", &options->timeout, milliseconds(500), minutes(1));
  if (options->audience.empty() || options->audience.size() > kAudienceMax) {
    reader.Fail("jwt_audience", "expected 1 to 128 characters");
  }
  if (!options->spiffe_id.empty() && !spiffe::IsWorkloadId(options->spiffe_id)) {
    reader.Fail("spiffe_id", "expected a SPIFFE ID with a path, spiffe://example.org/canary");
  }
  if (!options->socket.empty()) {
    if (const auto channel = spire::Channel::ToSocket(options->socket); !channel.ok()) {
      reader.Fail("socket", channel.error().what);
    }
  }
  return reader.Finish();
}

}  // namespace

Status ReadSvidOptions(const ConfigNode& config, Role role, SvidOptions* options) {
  SvidOptions read;
  ConfigReader reader(config["svid"]);
  reader.Check(ReadServer(reader.Take("server"), role, &read.reach));
  reader.Check(ReadCanary(reader.Take("canary"), &read.canary));
  reader.Read("upstream_chain_file", &read.upstream_chain_file);
  if (const Status status = reader.Finish(); !status.ok()) return status;
  if (config["trust_domain"].present()) read.reach.trust_domain = config["trust_domain"].text();
  *options = std::move(read);
  return {};
}

ConfigNode WithSvidDefaults(const ConfigNode& config, Role role) {
  SvidOptions options;
  if (!ReadSvidOptions(config, role, &options).ok()) return config;
  ConfigNode shown = config;
  if (!options.reach.address.empty()) {
    shown = shown.WithDefault("svid.server.address", options.reach.address)
                .WithDefault("svid.server.interval", FormatDuration(options.reach.interval))
                .WithDefault("svid.server.timeout", FormatDuration(options.reach.timeout));
  }
  if (!options.canary.socket.empty()) {
    shown = shown.WithDefault("svid.canary.jwt_audience", options.canary.audience)
                .WithDefault("svid.canary.interval", FormatDuration(options.canary.interval))
                .WithDefault("svid.canary.timeout", FormatDuration(options.canary.timeout));
  }
  return shown;
}

}  // namespace spire_exporter::svid
