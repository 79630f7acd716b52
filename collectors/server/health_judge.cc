#include "collectors/server/health_judge.h"

#include <algorithm>

#include "collectors/clients/spire_config/config_tree.h"

namespace spire_exporter::server {
namespace {

using spire_config::Keep;
using spire_config::KeepRule;
using spire_config::Node;

// The parts, and what each of them tells: that it is there, never its text.
constexpr KeepRule kRules[] = {{"*", Keep::kBlock}, {"*.*", Keep::kPresence}};

size_t SubsystemOf(std::string_view name) {
  const auto* found = std::find(kSubsystems.begin(), kSubsystems.end() - 1, name);
  return static_cast<size_t>(found - kSubsystems.begin());
}

bool Has(const HealthAnswer& answer, size_t part) {
  return answer.failing[part].value_or(false);
}

bool AnyBut(const HealthAnswer& answer, size_t part) {
  for (size_t i = 0; i < kSubsystems.size(); ++i) {
    if (i != part && Has(answer, i)) return true;
  }
  return false;
}

bool Answers(const HealthAnswer& answer) {
  return answer.state == "ok" || answer.state == "failing";
}

// What a server that serves says of its authority: the database's errors show there, too.
bool CannotSign(const HealthAnswer& live, const HealthAnswer& ready) {
  const HealthAnswer& said = Answers(ready) ? ready : live;
  return Has(said, kAuthority) && !Has(said, kDatastore);
}

// Without evidence: what SPIRE's word and its way of giving it are worth.
std::string_view JudgeByWord(const HealthAnswer& live, const HealthAnswer& ready,
                             std::optional<bool> database) {
  if (live.state == "timeout" || ready.state == "timeout") return "server_broken";
  if (!Answers(live) && !Answers(ready)) {
    return live.state == "unreachable" && ready.state == "unreachable" ? "unreachable" : "unknown";
  }
  if (database == false) return "database";
  const HealthAnswer& said = Answers(ready) ? ready : live;
  if (said.state == "ok") return "healthy";
  if (Has(said, kDatastore)) return database == true ? "unknown" : "database";
  return "server_broken";
}

}  // namespace

HealthAnswer JudgeAnswer(const Result<HttpReply>& reply) {
  HealthAnswer answer;
  if (!reply.ok()) {
    switch (reply.error().code) {
      case Code::kDeadlineExceeded:
        answer.state = "timeout";
        break;
      case Code::kUnavailable:
        answer.state = "unreachable";
        break;
      default:
        answer.state = "foreign";
    }
    return answer;
  }
  answer.state = "foreign";
  if (reply->status != 200 && reply->status != 500) return answer;
  // JSON begins with a brace; anything else would be read as the other language.
  if (!reply->body.starts_with('{')) return answer;
  const Result<Node> tree = spire_config::ParseConfigTree(reply->body, "health", kRules);
  if (!tree.ok()) return answer;
  bool any = false;
  for (const Node& part : tree->children) {
    if (part.kind != Node::Kind::kObject) continue;
    const size_t which = SubsystemOf(part.key);
    any = any || which != kOther;
    const bool fails = std::any_of(part.children.begin(), part.children.end(),
                                   [](const Node& error) { return !error.empty; });
    answer.failing[which] = answer.failing[which].value_or(false) || fails;
  }
  if (any) answer.state = reply->status == 200 ? "ok" : "failing";
  return answer;
}

std::string_view JudgeServer(const HealthAnswer& live, const HealthAnswer& ready,
                             const Evidence& evidence) {
  if (!evidence.serving) return JudgeByWord(live, ready, evidence.database);
  if (*evidence.serving) return CannotSign(live, ready) ? "not_signing" : "healthy";
  if (live.state == "unreachable" && ready.state == "unreachable") return "unreachable";
  if (live.state == "timeout" || ready.state == "timeout") return "server_broken";
  if (evidence.database) return *evidence.database ? "server_broken" : "database";
  const HealthAnswer& said = Answers(ready) ? ready : live;
  if (said.state != "failing") return "unknown";
  if (Has(said, kDatastore)) return "database";
  return AnyBut(said, kDatastore) ? "server_broken" : "unknown";
}

std::string_view JudgeAgreement(const HealthAnswer& live, const HealthAnswer& ready,
                                const Evidence& evidence) {
  if (!evidence.serving || (live.state == "foreign" && ready.state == "foreign")) return "unknown";
  const bool says_well = live.state == "ok" && ready.state == "ok";
  if (says_well == (*evidence.serving && !CannotSign(live, ready))) return "agrees";
  return says_well ? "says_well" : "says_ill";
}

std::optional<LivenessClock::Strike> LivenessClock::OnAnswer(const HealthAnswer& live,
                                                             SteadyTime asked) {
  if (live.state == "ok") {
    last_good_ = asked;
    first_bad_.reset();
    return std::nullopt;
  }
  const bool speaks = live.state == "failing" || live.state == "timeout";
  if (probe_.failures <= 0 || (!speaks && !last_good_)) return std::nullopt;
  if (!first_bad_) first_bad_ = asked;
  const auto period = std::chrono::duration_cast<SteadyTime::duration>(probe_.period);
  Strike strike;
  if (last_good_) strike.earliest = *last_good_ + (probe_.failures - 1) * period;
  strike.latest = *first_bad_ + probe_.failures * period;
  return strike;
}

}  // namespace spire_exporter::server
