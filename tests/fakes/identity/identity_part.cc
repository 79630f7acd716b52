#include "tests/fakes/identity/identity_part.h"

#include <charconv>
#include <fstream>
#include <utility>
#include <vector>

#include "exporter/base/text.h"
#include "tests/fakes/identity/agent_node.h"
#include "tests/fakes/identity/sim_server.h"

namespace spire_exporter::fakes {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

seconds Whole(Duration duration) {
  return std::chrono::duration_cast<seconds>(duration);
}

// The truth about who ends when. Lines are whole for whoever reads along.
class Expiries {
 public:
  Expiries(const std::string& path, const Clock& clock) : clock_(clock) {
    if (!path.empty()) file_.open(path, std::ios::app);
  }
  bool good() const { return file_.good(); }
  void Add(std::string_view kind, const std::string& id, sys_seconds not_after) {
    if (!file_.is_open()) return;
    const auto now = std::chrono::floor<seconds>(clock_.System());
    file_ << now.time_since_epoch().count() << '\t' << kind << '\t' << id << '\t'
          << not_after.time_since_epoch().count() << std::endl;
  }

 private:
  const Clock& clock_;
  std::ofstream file_;
};

Error Wrong(std::string what) {
  return Error{Code::kInvalidArgument, std::move(what), {}};
}

Result<std::string> Answer(const Status& status) {
  if (!status.ok()) return status.error();
  return std::string();
}

class ServerPart final : public IdentityPart {
 public:
  ServerPart(const IdentityOptions& options, Simulator* simulator, const Clock& clock)
      : simulator_(*simulator), expiries_(options.expiries, clock) {}

  Status Begin(const IdentityOptions& options, const Clock& clock) {
    if (!expiries_.good()) return Wrong("cannot write " + options.expiries);
    const LoadOptions& load = simulator_.load();
    Result<std::unique_ptr<SimServer>> started = SimServer::Start(
        {.name = options.name,
         .trust_domain = options.trust_domain,
         .listen = options.listen,
         .folder = options.folder,
         .svid_ttl = Whole(load.svid_ttl),
         .ca_ttl = Whole(load.ca_ttl)},
        clock, [this](std::string_view kind, const std::string& id, sys_seconds not_after) {
          expiries_.Add(kind, id, not_after);
        });
    if (!started.ok()) return std::move(started).error();
    server_ = std::move(started).value();
    return {};
  }

  bool Step() override { return server_->Step().ok(); }

  std::optional<Result<std::string>> Command(std::string_view line) override {
    const std::vector<std::string_view> words = Split(Trim(line), ' ');
    if (words.size() != 2) return std::nullopt;
    if (words[0] == "signing") return Signing_(words[1]);
    if (words[0] == "database") return Database(words[1]);
    if (words[0] == "port") return Port(words[1]);
    return std::nullopt;
  }

 private:
  Result<std::string> Signing_(std::string_view word) {
    Signing signing;
    simulator_.mood() = {};
    if (word == "denied") {
      signing.denied = true;
    } else if (word != "well") {
      double wait = 0;
      const auto parsed = std::from_chars(word.data(), word.data() + word.size(), wait);
      if (parsed.ec != std::errc() || !(wait >= 0) || wait > 3600) {
        return Wrong("signing: expected well, denied or seconds");
      }
      signing.delay = std::chrono::milliseconds(static_cast<int64_t>(wait * 1000));
    }
    // A real one finds out within a minute, when it looks at itself.
    simulator_.health = signing.denied ? Health::kRefusing : Health::kWell;
    return Answer(server_->SetSigning(signing));
  }

  // Beside a hung database nothing is counted, because no call ends; health goes on as it was.
  Result<std::string> Database(std::string_view word) {
    constexpr std::pair<std::string_view, DatabaseMood> kMoods[] = {{"well", DatabaseMood::kWell},
                                                                    {"down", DatabaseMood::kDown},
                                                                    {"hung", DatabaseMood::kHung}};
    for (const auto& [name, mood] : kMoods) {
      if (word != name) continue;
      server_->SetDatabase(mood);
      simulator_.set_running(mood != DatabaseMood::kHung);
      simulator_.mood().error_share = mood == DatabaseMood::kDown ? 1 : 0;
      simulator_.mood().error_status = "Internal";
      simulator_.health = mood == DatabaseMood::kDown ? Health::kFailing : Health::kWell;
      return std::string();
    }
    return Wrong("database: expected well, down or hung");
  }

  Result<std::string> Port(std::string_view word) {
    constexpr std::pair<std::string_view, WireFault> kFaults[] = {
        {"well", WireFault::kNone},
        {"refuse", WireFault::kRefuse},
        {"accept-only", WireFault::kAcceptOnly},
        {"reset", WireFault::kReset},
        {"drip", WireFault::kDrip}};
    for (const auto& [name, fault] : kFaults) {
      if (word == name) return Answer(server_->wire().Fail(fault));
    }
    return Wrong("port: expected well, refuse, accept-only, reset or drip");
  }

  Simulator& simulator_;
  Expiries expiries_;
  std::unique_ptr<SimServer> server_;
};

class AgentPart final : public IdentityPart {
 public:
  AgentPart(const IdentityOptions& options, Simulator* simulator, const Clock& clock)
      : simulator_(*simulator),
        expiries_(options.expiries, clock),
        servers_(options.servers, options.folder, clock) {}
  ~AgentPart() override { servers_.Stop(); }

  Status Begin(const IdentityOptions& options, const Clock& clock) {
    if (!expiries_.good()) return Wrong("cannot write " + options.expiries);
    Result<std::vector<std::string>> roots = ReadBundleFile(options.bootstrap_bundle);
    if (!roots.ok()) return std::move(roots).error();
    const LoadOptions& load = simulator_.load();
    AgentNodeOptions node;
    node.agent = {.name = options.name,
                  .trust_domain = options.trust_domain,
                  .attestor = options.join_token ? Attestor::kJoinToken : Attestor::kX509Pop,
                  .entries = options.entries,
                  .svid_ttl = Whole(load.svid_ttl),
                  .agent_ttl = Whole(load.agent_ttl),
                  .bootstrap_roots = std::move(roots).value(),
                  .state_file = options.state,
                  .seed = simulator_.options().seed};
    // Those that are held for others have names of their own and are served to nobody here.
    for (uint64_t i = options.entries.size(); i < load.workloads; ++i) {
      node.agent.entries.push_back("workload/" + options.name + '/' + std::to_string(i));
    }
    node.served = options.entries;
    node.jwt_ttl = Whole(options.jwt_ttl);
    node.workload_socket = options.workload_socket;
    node.admin_socket = options.admin_socket;
    simulator_.health = Health::kUnattested;
    node_ = std::make_unique<AgentNode>(
        std::move(node), clock, &servers_,
        [this](std::string_view kind, const std::string& id, sys_seconds not_after) {
          expiries_.Add(kind, id, not_after);
        });
    return {};
  }

  bool Step() override {
    const bool ended = node_->ended();
    for (const auto& story : node_->TakeStories()) simulator_.Tell(story);
    simulator_.health = node_->ready() ? Health::kWell : Health::kUnattested;
    return !ended;
  }

  std::optional<Result<std::string>> Command(std::string_view) override { return std::nullopt; }

 private:
  Simulator& simulator_;
  Expiries expiries_;
  WireServers servers_;
  std::unique_ptr<AgentNode> node_;
};

template <typename Part>
Result<std::unique_ptr<IdentityPart>> Make(const IdentityOptions& options, Simulator* simulator,
                                           const Clock& clock) {
  auto part = std::make_unique<Part>(options, simulator, clock);
  const Status status = part->Begin(options, clock);
  if (!status.ok()) return status.error();
  return std::unique_ptr<IdentityPart>(std::move(part));
}

}  // namespace

Result<std::unique_ptr<IdentityPart>> IdentityPart::Start(const IdentityOptions& options,
                                                          Simulator* simulator,
                                                          const Clock& clock) {
  return simulator->options().emitter.role == Role::kServer
             ? Make<ServerPart>(options, simulator, clock)
             : Make<AgentPart>(options, simulator, clock);
}

}  // namespace spire_exporter::fakes
