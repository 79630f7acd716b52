#include "collectors/datastore/rights.h"

#include <algorithm>
#include <map>
#include <utility>

#include "collectors/clients/postgres/ask.h"
#include "collectors/datastore/definer_functions.h"
#include "collectors/datastore/granted_columns.h"
#include "collectors/datastore/grants.h"
#include "collectors/datastore/schema.h"
#include "exporter/base/text.h"

namespace spire_exporter::datastore {
namespace {

// SPIRE's schema is the one with both tables, `public` before others.
std::string HomeStatement() {
  return "SELECT current_database(), session_user, h.nspname,"
         " has_schema_privilege(h.oid, 'USAGE')"
         " FROM (SELECT) AS one LEFT JOIN (SELECT n.oid, n.nspname FROM pg_namespace AS n"
         " JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p')"
         " WHERE n.nspname !~ '^pg_' AND c.relname IN ('registered_entries', 'migrations')"
         " GROUP BY 1, 2 HAVING count(*) = 2 ORDER BY n.nspname <> 'public', n.nspname LIMIT 1)"
         " AS h ON true";
}

std::string TablesOf(const std::string& schema) {
  return " JOIN pg_namespace AS n ON n.oid = t.relnamespace AND n.nspname = " + pg::Quoted(schema) +
         " WHERE t.relname IN (" + TableList() + ")";
}

std::string ColumnsStatement(const std::string& schema) {
  return "SELECT t.relname, a.attname, has_column_privilege(t.oid, a.attnum, 'SELECT'),"
         " has_table_privilege(t.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')"
         " OR has_any_column_privilege(t.oid, 'INSERT, UPDATE')"
         " FROM pg_class AS t JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum > 0"
         " AND NOT a.attisdropped" +
         TablesOf(schema) + " AND t.relkind IN ('r', 'p') ORDER BY 1, 2";
}

std::string SequencesStatement(const std::string& schema) {
  return "SELECT count(*), count(*) FILTER (WHERE has_sequence_privilege(s.oid, 'SELECT')),"
         " count(*) FILTER (WHERE has_sequence_privilege(s.oid, 'USAGE, UPDATE'))"
         " FROM pg_class AS s JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass"
         " AND d.objid = s.oid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')"
         " JOIN pg_class AS t ON t.oid = d.refobjid" +
         TablesOf(schema) + " AND s.relkind = 'S'";
}

std::string FunctionsStatement() {
  return "SELECT p.proname FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace"
         " WHERE n.nspname = " +
         pg::Quoted(kFunctionSchema) +
         " AND has_schema_privilege(n.oid, 'USAGE') AND has_function_privilege(p.oid, 'EXECUTE')"
         " ORDER BY 1";
}

std::string Command(const Rights& rights, int level, std::string_view role) {
  std::string command =
      "on the primary, as a superuser: spire-exporter grants --level=" + std::to_string(level) +
      " --role=" + ShellWord(role);
  if (rights.schema != "public") command += " --schema=" + ShellWord(rights.schema);
  return command + " | psql -X -d " + ShellWord(rights.database) + " -f -";
}

// `bundles (data, id), migrations (id)`, in the order of the columns.
std::string ByTable(const std::vector<const ColumnRight*>& columns) {
  std::map<std::string_view, std::string> tables;
  for (const ColumnRight* column : columns) {
    std::string& list = tables[column->table];
    list += (list.empty() ? "" : ", ") + column->column;
  }
  std::string all;
  for (const auto& [table, list] : tables) {
    all += (all.empty() ? "" : ", ") + std::string(table) + " (" + list + ")";
  }
  return all;
}

std::string Count(size_t count, std::string_view one) {
  return std::to_string(count) + " " + std::string(one) + (count == 1 ? "" : "s");
}

bool HasAllFunctions(const Rights& rights) {
  return std::all_of(DefinerFunctions().begin(), DefinerFunctions().end(), [&](const auto& f) {
    return std::find(rights.functions.begin(), rights.functions.end(), f.name) !=
           rights.functions.end();
  });
}

// What is more than a watcher needs, in words; empty when nothing is.
std::string TooMuch(const Rights& rights) {
  std::vector<const ColumnRight*> columns;
  bool token = false;
  for (const ColumnRight& right : rights.columns) {
    if (!right.readable || !rights.schema_usable || IsGranted(right.table, right.column)) continue;
    token = token || (right.table == "join_tokens" && right.column == "token");
    columns.push_back(&right);
  }
  std::string text;
  const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : "; ") + part; };
  if (token) add("reads join_tokens.token, which makes its bearer an agent");
  if (!rights.writable.empty()) {
    add("may change " + Count(rights.writable.size(), "table") + " of SPIRE's");
  }
  if (rights.sequences_movable > 0) {
    add("may use up ids of " + Count(rights.sequences_movable, "sequence"));
  }
  if (!columns.empty() && text.empty())
    add("reads " + ByTable(columns) + ", which is more than is needed");
  return text;
}

}  // namespace

Result<Rights> ProbeRights(pg::Connection& connection) {
  const Result<pg::Rows> home = connection.Query("the schema of SPIRE's tables", HomeStatement());
  if (!home.ok()) return home.error();
  Rights rights;
  rights.database = home->Text(0).value_or("");
  rights.role = home->Text(1).value_or("");
  rights.schema = home->Text(2).value_or("");
  rights.schema_usable = home->Bool(3).value_or(false);
  if (rights.schema.empty()) return rights;
  const Result<pg::Rows> columns =
      connection.Query("rights to columns", ColumnsStatement(rights.schema));
  if (!columns.ok()) return columns.error();
  columns->ForEach([&](const pg::Row& row) {
    rights.columns.push_back({row.TextOr(0, ""), row.TextOr(1, ""), row.Bool(2).value_or(false)});
    const std::string& table = rights.columns.back().table;
    if (row.Bool(3).value_or(false) &&
        (rights.writable.empty() || rights.writable.back() != table)) {
      rights.writable.push_back(table);
    }
  });
  const Result<pg::Rows> sequences =
      connection.Query("rights to sequences", SequencesStatement(rights.schema));
  if (!sequences.ok()) return sequences.error();
  const auto count = [&](size_t column) {
    return static_cast<size_t>(std::max<int64_t>(sequences->Int(column).value_or(0), 0));
  };
  rights.sequences = count(0);
  rights.sequences_readable = count(1);
  rights.sequences_movable = count(2);
  const Result<pg::Rows> functions = connection.Query("rights to functions", FunctionsStatement());
  if (!functions.ok()) return functions.error();
  functions->ForEach([&](const pg::Row& row) { rights.functions.push_back(row.TextOr(0, "")); });
  return rights;
}

std::vector<CheckLine> JudgeRights(std::string_view node, const Rights& rights) {
  const std::string subject = "datastore " + std::string(node);
  if (rights.schema.empty()) {
    return {
        {subject, false, "database " + rights.database + " has no tables of SPIRE's",
         "the name of SPIRE's database in the connection file; before SPIRE has run once, wait"}};
  }
  std::vector<const ColumnRight*> missing;
  size_t wanted = 0;
  for (const ColumnRight& right : rights.columns) {
    if (!IsGranted(right.table, right.column)) continue;
    ++wanted;
    if (!right.readable || !rights.schema_usable) missing.push_back(&right);
  }
  std::vector<CheckLine> lines;
  const int level = missing.size() == wanted && !rights.functions.empty() ? 2 : 1;
  if (missing.empty()) {
    lines.push_back(
        {subject, true,
         "level 1: " + Count(wanted, "column") + " of SPIRE's tables as role " + rights.role, ""});
  } else if (level == 2 && HasAllFunctions(rights)) {
    lines.push_back({subject, true,
                     "level 2: " + Count(rights.functions.size(), "function") +
                         " that give numbers, as role " + rights.role,
                     ""});
  } else if (level == 2) {
    lines.push_back({subject, false,
                     "role " + rights.role + " may call " +
                         Count(rights.functions.size(), "function") + " of " +
                         std::to_string(DefinerFunctions().size()),
                     Command(rights, 2, rights.role)});
  } else if (missing.size() == wanted) {
    lines.push_back({subject, false,
                     "role " + rights.role + " may read nothing of SPIRE's tables" +
                         (rights.schema_usable ? "" : ": no USAGE on schema " + rights.schema),
                     Command(rights, 1, rights.role)});
  } else {
    lines.push_back({subject, false, "role " + rights.role + " may not read " + ByTable(missing),
                     Command(rights, 1, rights.role)});
  }
  if (rights.sequences_readable < rights.sequences) {
    lines.push_back({subject + " ids", false,
                     Count(rights.sequences - rights.sequences_readable, "sequence") +
                         " may not be read: how many ids are left is estimated from rows",
                     Command(rights, level, rights.role)});
  }
  if (const std::string much = TooMuch(rights); !much.empty()) {
    lines.push_back({subject + " power", false, "role " + rights.role + " " + much,
                     "a role of its own, " + Command(rights, level, kDefaultRole)});
  }
  return lines;
}

std::vector<CheckLine> CheckRights(pg::NodeSet& nodes, const Deadline& deadline) {
  pg::NodeList list = nodes.List(Duration::zero(), deadline, {});
  std::vector<CheckLine> lines;
  for (const pg::NodeList::Problem& problem : list.problems) {
    lines.push_back({"datastore " + problem.group, false, problem.error.ToString(),
                     "see postgres " + problem.group});
  }
  const std::vector<pg::Answer<Rights>> answers =
      pg::AskEach<Rights>(std::move(list.nodes), pg::JobLimits{deadline}, {}, &ProbeRights);
  for (const pg::Answer<Rights>& answer : answers) {
    if (!answer.result.ok()) {
      lines.push_back({"datastore " + answer.node.name, false, answer.result.error().ToString(),
                       "see postgres " + answer.node.name});
      continue;
    }
    for (CheckLine& line : JudgeRights(answer.node.name, *answer.result)) {
      lines.push_back(std::move(line));
    }
  }
  return lines;
}

}  // namespace spire_exporter::datastore
