#include "tests/fakes/sim_options.h"

#include <charconv>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/base/text.h"

namespace spire_exporter::fakes {
namespace {

Result<double> ParseNumber(std::string_view text, double min, double max) {
  double number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || !(number >= min) ||
      number > max) {
    return Error{
        Code::kInvalidArgument,
        Quoted(text) + " is no number from " + std::to_string(min) + " to " + std::to_string(max),
        {}};
  }
  return number;
}

// Puts a good value where it belongs and hands on an error.
template <typename T, typename Target>
Status Store(Result<T> result, Target* target) {
  if (!result.ok()) return std::move(result).error();
  *target = static_cast<Target>(std::move(result).value());
  return {};
}

Status StoreDuration(std::string_view text, Duration* target) {
  Result<Duration> parsed = ParseDuration(text);
  if (!parsed.ok()) return std::move(parsed).error();
  if (parsed.value() < std::chrono::seconds(1)) {
    return Error{Code::kInvalidArgument, Quoted(text) + " is shorter than 1s", {}};
  }
  *target = parsed.value();
  return {};
}

Status StoreMix(std::string_view text, Mix* mix) {
  if (text == "idle") {
    *mix = Mix::kIdle;
  } else if (text == "lab") {
    *mix = Mix::kLab;
  } else if (text == "everything") {
    *mix = Mix::kEverything;
  } else {
    return Error{
        Code::kInvalidArgument, Quoted(text) + " is no load: expected idle, lab or everything", {}};
  }
  return {};
}

Status StoreText(std::string_view text, std::string* target) {
  *target = text;
  return {};
}

struct Flag {
  std::string_view name;
  std::string_view meaning;
  Status (*store)(SimOptions&, std::string_view);
};

constexpr Flag kFlags[] = {
    {"role", "server or agent (default server)",
     [](SimOptions& o, std::string_view t) {
       return Store(ParseRole(t), &o.simulator.emitter.role);
     }},
    {"version", "of SPIRE: 1.7.2, 1.8.0, 1.13.3, 1.14.7 or 1.15.3 (default 1.15.3)",
     [](SimOptions& o, std::string_view t) {
       return Store(ParseRelease(t), &o.simulator.emitter.release);
     }},
    {"prometheus-listen", "HOST:PORT of the Prometheus endpoint (default none; port 0: any)",
     [](SimOptions& o, std::string_view t) { return StoreText(t, &o.endpoints.prometheus); }},
    {"health-listen", "HOST:PORT of /live and /ready (default none)",
     [](SimOptions& o, std::string_view t) { return StoreText(t, &o.endpoints.health); }},
    {"control-listen", "HOST:PORT that takes commands by POST, one a line (default none)",
     [](SimOptions& o, std::string_view t) { return StoreText(t, &o.endpoints.control); }},
    {"dogstatsd", "HOST:PORT or unix:///PATH to stream to; may be repeated",
     [](SimOptions& o, std::string_view t) {
       o.simulator.streams.emplace_back(t);
       return Status();
     }},
    {"load", "idle, lab or everything (default lab)",
     [](SimOptions& o, std::string_view t) { return StoreMix(t, &o.simulator.load.mix); }},
    {"agents", "behind a server (default 1)",
     [](SimOptions& o, std::string_view t) {
       return Store(ParseNumber(t, 0, 1e8), &o.simulator.load.agents);
     }},
    {"workloads", "of an agent, or of each agent behind a server (default 10)",
     [](SimOptions& o, std::string_view t) {
       return Store(ParseNumber(t, 0, 1e8), &o.simulator.load.workloads);
     }},
    {"fleet-lines", "lines a second that the fleet makes at most (default 20000)",
     [](SimOptions& o, std::string_view t) {
       return Store(ParseNumber(t, 1, 1e7), &o.simulator.load.fleet_lines);
     }},
    {"rate", "lines a second on top, for floods (default 0)",
     [](SimOptions& o, std::string_view t) {
       return Store(ParseNumber(t, 0, 1e7), &o.rates.flood);
     }},
    {"svid-ttl", "lifetime of X.509-SVIDs (default 4m)",
     [](SimOptions& o, std::string_view t) {
       return StoreDuration(t, &o.simulator.load.svid_ttl);
     }},
    {"agent-ttl", "lifetime of agents' SVIDs (default 6m)",
     [](SimOptions& o, std::string_view t) {
       return StoreDuration(t, &o.simulator.load.agent_ttl);
     }},
    {"ca-ttl", "lifetime of authorities (default 24m)",
     [](SimOptions& o, std::string_view t) { return StoreDuration(t, &o.simulator.load.ca_ttl); }},
    {"accelerate", "SPIRE's life goes that many times as fast (default 1)",
     [](SimOptions& o, std::string_view t) {
       return Store(ParseNumber(t, 0.001, 1000), &o.simulator.load.accelerate);
     }},
    {"trust-domain", "(default example.org)",
     [](SimOptions& o, std::string_view t) {
       o.identity.trust_domain = t;
       return StoreText(SanitizedLabel(t), &o.simulator.load.trust_domain_label);
     }},
    {"host", "the host tag; empty: none (default vm)",
     [](SimOptions& o, std::string_view t) { return StoreText(t, &o.simulator.emitter.host); }},
    {"metric-prefix", "in place of spire_server or spire_agent",
     [](SimOptions& o, std::string_view t) { return StoreText(t, &o.simulator.emitter.prefix); }},
    {"trust-domain-tag", "value of the trust_domain tag (default: no such tag)",
     [](SimOptions& o, std::string_view t) {
       return StoreText(SanitizedLabel(t), &o.simulator.emitter.trust_domain_tag);
     }},
    {"global-tags", "tags that DD_ENV and its kin put first: env:prod,service:spire",
     [](SimOptions& o, std::string_view t) {
       return StoreText(t, &o.simulator.emitter.global_tags);
     }},
    {"seed", "of everything that is drawn (default 1)",
     [](SimOptions& o, std::string_view t) {
       return Store(ParseNumber(t, 0, 9e15), &o.simulator.seed);
     }},
    {"truth", "file for every value handed over: time, type, key, status, value",
     [](SimOptions& o, std::string_view t) { return StoreText(t, &o.truth); }},
    {"identities", "folder of the lab's authorities: true SVIDs on true wires (default none)",
     [](SimOptions& o, std::string_view t) {
       o.simulator.load.true_identities = true;
       return StoreText(t, &o.identity.folder);
     }},
    {"name", "of the server or agent among those of the folder (default spire)",
     [](SimOptions& o, std::string_view t) { return StoreText(t, &o.identity.name); }},
    {"expiries", "file to add a line to for all that is issued: time, kind, for whom, end",
     [](SimOptions& o, std::string_view t) { return StoreText(t, &o.identity.expiries); }},
    {"server-listen", "IP:PORT of a server's port",
     [](SimOptions& o, std::string_view t) { return StoreText(t, &o.identity.listen); }},
    {"server", "IP:PORT of a server, as an agent finds it; may be repeated",
     [](SimOptions& o, std::string_view t) {
       o.identity.servers.emplace_back(t);
       return Status();
     }},
    {"attestor", "of an agent: x509pop or join_token (default x509pop)",
     [](SimOptions& o, std::string_view t) {
       o.identity.join_token = t == "join_token";
       if (t == "join_token" || t == "x509pop") return Status();
       return Status(
           Error{Code::kInvalidArgument, Quoted(t) + ": expected x509pop or join_token", {}});
     }},
    {"bootstrap-bundle", "PEM file that an agent starts with",
     [](SimOptions& o, std::string_view t) { return StoreText(t, &o.identity.bootstrap_bundle); }},
    {"state", "file of what an agent knows after a restart (default: nothing)",
     [](SimOptions& o, std::string_view t) { return StoreText(t, &o.identity.state); }},
    {"entry", "path of a SPIFFE ID that an agent serves to whoever calls; may be repeated",
     [](SimOptions& o, std::string_view t) {
       o.identity.entries.emplace_back(t);
       return Status();
     }},
    {"workload-socket", "path of an agent's Workload API",
     [](SimOptions& o, std::string_view t) { return StoreText(t, &o.identity.workload_socket); }},
    {"admin-socket", "path of an agent's admin socket",
     [](SimOptions& o, std::string_view t) { return StoreText(t, &o.identity.admin_socket); }},
    {"jwt-ttl", "lifetime of JWT-SVIDs (default 2m)",
     [](SimOptions& o, std::string_view t) { return StoreDuration(t, &o.identity.jwt_ttl); }},
    {"for", "end after this long (default: never)",
     [](SimOptions& o, std::string_view t) {
       Duration duration{};
       Status status = StoreDuration(t, &duration);
       if (status.ok()) o.run_for = duration;
       return status;
     }},
};

const Flag* FindFlag(std::string_view name) {
  for (const Flag& flag : kFlags) {
    if (flag.name == name) return &flag;
  }
  return nullptr;
}

Error UnknownFlag(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Flag& flag : kFlags) names.push_back(flag.name);
  const std::string_view nearest = NearestName(name, names);
  std::string what = "unknown flag --" + std::string(name);
  if (!nearest.empty()) what += ": did you mean --" + std::string(nearest) + "?";
  return Error{Code::kInvalidArgument, std::move(what), {}};
}

}  // namespace

Result<SimOptions> ParseSimOptions(std::span<const char* const> arguments) {
  SimOptions options;
  for (size_t i = 0; i < arguments.size(); ++i) {
    std::string_view argument = arguments[i];
    if (argument == "--help") {
      options.help = true;
      return options;
    }
    if (argument.substr(0, 2) != "--") {
      return Error{Code::kInvalidArgument, "unexpected argument " + Quoted(argument), {}};
    }
    argument.remove_prefix(2);
    const size_t equals = argument.find('=');
    const std::string_view name = argument.substr(0, equals);
    const Flag* flag = FindFlag(name);
    if (flag == nullptr) return UnknownFlag(name);
    std::string_view value;
    if (equals != std::string_view::npos) {
      value = argument.substr(equals + 1);
    } else if (i + 1 < arguments.size()) {
      value = arguments[++i];
    } else {
      return Error{Code::kInvalidArgument, "--" + std::string(name) + " lacks a value", {}};
    }
    Status status = flag->store(options, value);
    if (!status.ok()) {
      return Error{
          Code::kInvalidArgument, "--" + std::string(name) + ": " + status.error().what, {}};
    }
  }
  return options;
}

std::string SimUsage() {
  std::string text =
      "spire-sim plays a SPIRE server or agent on its telemetry wires, and with --identities on "
      "those"
      " of its identities.\n\n"
      "usage: spire-sim [--flag=value ...]\n\n";
  for (const Flag& flag : kFlags) {
    std::string line = "  --" + std::string(flag.name);
    line.resize(std::max<size_t>(line.size() + 1, 24), ' ');
    text += line + std::string(flag.meaning) + '\n';
  }
  return text;
}

}  // namespace spire_exporter::fakes
