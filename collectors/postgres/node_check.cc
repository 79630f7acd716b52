#include "collectors/postgres/node_check.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "collectors/clients/postgres/ask.h"
#include "exporter/base/text.h"

namespace spire_exporter::postgres {
namespace {

// More than the network and NTP make of it.
constexpr double kClocksApart = 2;

constexpr char kLook[] =
    "SELECT pg_is_in_recovery(), current_database(), session_user,"
    " concat_ws(', ', CASE WHEN r.rolsuper THEN 'SUPERUSER' END,"
    " CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END,"
    " CASE WHEN r.rolcreatedb THEN 'CREATEDB' END,"
    " CASE WHEN r.rolreplication THEN 'REPLICATION' END,"
    " CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END),"
    " pg_has_role('pg_read_all_stats', 'USAGE'),"
    " (SELECT s.version FROM pg_stat_ssl AS s WHERE s.pid = pg_backend_pid() AND s.ssl),"
    " coalesce(inet_client_addr() <<= '127.0.0.0/8' OR inet_client_addr() = '::1', true),"
    " date_part('epoch', clock_timestamp())"
    " FROM pg_roles AS r WHERE r.rolname = session_user";

std::vector<std::string> Words(const std::string& list) {
  std::vector<std::string> words;
  for (size_t at = 0; at < list.size();) {
    const size_t comma = std::min(list.find(", ", at), list.size());
    words.push_back(list.substr(at, comma - at));
    at = comma + 2;
  }
  return words;
}

std::string Joined(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : ", ") + word;
  return all;
}

// 15.18 of 150018.
std::string VersionText(int version) {
  return std::to_string(version / 10000) + "." + std::to_string(version % 10000);
}

std::string SecondsText(double seconds) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.3f s", seconds);
  return text;
}

const char* RoleOf(bool in_recovery) {
  return in_recovery ? "standby" : "primary";
}

// The command that gives the role its rights; for both of what it can lack here.
std::string GrantsCommand(const NodeLook& look, const std::string& role) {
  return "on the primary, as a superuser: spire-exporter grants --role=" + ShellWord(role) +
         " | psql -X -d " + ShellWord(look.database) + " -f -";
}

}  // namespace

Result<NodeLook> LookAtNode(pg::Connection& connection, const Clock& clock) {
  const SystemTime before = clock.System();
  const SteadyTime began = clock.Steady();
  const Result<pg::Rows> row = connection.Query("look at the node", kLook);
  if (!row.ok()) return row.error();
  const double took = Seconds(clock.Steady() - began);
  NodeLook look;
  look.version = connection.version();
  look.in_recovery = row->Bool(0).value_or(false);
  look.database = row->Text(1).value_or("");
  look.role = row->Text(2).value_or("");
  look.powers = Words(row->Text(3).value_or(""));
  look.reads_statistics = row->Bool(4).value_or(false);
  look.tls = row->Text(5);
  look.local = row->Bool(6).value_or(false);
  const std::optional<double> theirs = row->Double(7);
  if (!theirs) return Error{Code::kInternal, "the node gives no time", "", false};
  look.clock_ahead = *theirs - UnixSeconds(before) - took / 2;
  look.clock_known_to = took / 2;
  return look;
}

std::vector<CheckLine> JudgeNode(const pg::Node& node, const NodeLook& look) {
  const std::string subject = "postgres " + node.name;
  const std::string what = "PostgreSQL " + VersionText(look.version) + ", a " +
                           RoleOf(look.in_recovery) + ", " + look.tls.value_or("without TLS") +
                           ", as role " + look.role;
  std::vector<CheckLine> lines;
  const bool expected =
      node.expect == pg::Expect::kAny || (node.expect == pg::Expect::kStandby) == look.in_recovery;
  if (expected) {
    lines.push_back({subject, true, what, ""});
  } else {
    lines.push_back({subject, false,
                     what + ": a " + RoleOf(!look.in_recovery) + " is expected at " + node.address,
                     "let the name of " + node.group + " lead to a " + RoleOf(!look.in_recovery) +
                         ", or correct postgres.nodes[].expect"});
  }
  const int major = look.version / 10000;
  if (major < kOldestMajor || major > kNewestMajor) {
    lines.push_back({subject + " version", false,
                     "PostgreSQL " + std::to_string(major) + " was not tried with this version",
                     "PostgreSQL " + std::to_string(kOldestMajor) + " to " +
                         std::to_string(kNewestMajor) + " are known to work"});
  }
  if (!look.tls && !look.local) {
    lines.push_back({subject + " TLS", false, "the connection goes over the network in the clear",
                     "sslmode=verify-full and sslrootcert=FILE in the connection file, ssl = on "
                     "in postgresql.conf"});
  }
  if (!look.powers.empty()) {
    lines.push_back({subject + " role", false,
                     "role " + look.role + " is " + Joined(look.powers) +
                         ": who takes over this process has the database",
                     "connect as a role of its own, " + GrantsCommand(look, "spire_exporter")});
  } else if (!look.reads_statistics) {
    lines.push_back({subject + " role", false,
                     "role " + look.role +
                         " has no pg_read_all_stats: other sessions, senders and the receiver of "
                         "the log are hidden",
                     GrantsCommand(look, look.role)});
  }
  if (std::abs(look.clock_ahead) > kClocksApart + look.clock_known_to) {
    lines.push_back({subject + " clock", false,
                     "its clock is " + SecondsText(std::abs(look.clock_ahead)) +
                         (look.clock_ahead > 0 ? " ahead of" : " behind") + " ours",
                     "synchronise the clocks of both machines"});
  }
  return lines;
}

CheckLine Unreachable(const std::string& subject, const Error& error) {
  const auto remedy = [&error]() -> std::string {
    switch (error.code) {
      case Code::kUnauthenticated:
        return "a line for the role in pg_hba.conf, and its password in the file that passfile= "
               "names";
      case Code::kPermissionDenied:
        return "GRANT CONNECT, which spire-exporter grants prints";
      case Code::kNotFound:
        return "the name of SPIRE's database in the connection file";
      case Code::kResourceExhausted:
        return "spire-exporter grants --connection-limit=N with SPIRE's servers and two, or a "
               "greater max_connections";
      case Code::kFailedPrecondition:
        return "sslmode, sslrootcert and the name of the server in the connection file, and what "
               "its certificate says";
      case Code::kInvalidArgument:
        return "correct the connection file";
      default:
        return "see that the server runs and that its port can be reached from here";
    }
  };
  return {subject, false, error.ToString(), remedy()};
}

std::vector<CheckLine> CheckNodes(pg::NodeSet& nodes, const Clock& clock,
                                  const Deadline& deadline) {
  pg::NodeList list = nodes.List(Duration::zero(), deadline, {});
  std::vector<CheckLine> lines;
  for (const pg::NodeList::Problem& problem : list.problems) {
    lines.push_back(Unreachable("postgres " + problem.group, problem.error));
  }
  const std::vector<pg::Answer<NodeLook>> answers = pg::AskEach<NodeLook>(
      std::move(list.nodes), pg::JobLimits{deadline}, {},
      [&clock](pg::Connection& connection) { return LookAtNode(connection, clock); });
  for (const pg::Answer<NodeLook>& answer : answers) {
    if (!answer.result.ok()) {
      lines.push_back(Unreachable("postgres " + answer.node.name, answer.result.error()));
      continue;
    }
    for (CheckLine& line : JudgeNode(answer.node, *answer.result)) lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace spire_exporter::postgres
