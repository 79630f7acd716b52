#include "collectors/datastore/schema.h"

#include <utility>

namespace spire_exporter::datastore {

std::string TableList() {
  std::string list;
  for (const std::string_view table : kTableNames) {
    list += (list.empty() ? "" : ", ") + pg::Quoted(table);
  }
  return list;
}

namespace {

// The catalogue is everybody's to read, so this needs no right.
std::string ColumnsStatement() {
  return "SELECT n.nspname, c.relname, c.oid, a.attname,"
         " has_schema_privilege(n.oid, 'USAGE') AND has_column_privilege(c.oid, a.attnum, 'SELECT')"
         " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
         " JOIN pg_attribute a ON a.attrelid = c.oid"
         " WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped"
         " AND n.nspname !~ '^pg_' AND c.relname IN (" +
         TableList() + ") ORDER BY 1, 2, a.attnum";
}

std::string SequencesStatement(const std::string& schema) {
  return "SELECT s.seqrelid, t.relname, a.attname,"
         " LEAST(s.seqmax, CASE a.atttypid WHEN 'int2'::regtype THEN 32767"
         " WHEN 'int4'::regtype THEN 2147483647 ELSE s.seqmax END),"
         " has_sequence_privilege(s.seqrelid, 'SELECT, USAGE')"
         " FROM pg_sequence s"
         " JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid"
         " AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')"
         " JOIN pg_class t ON t.oid = d.refobjid JOIN pg_namespace n ON n.oid = t.relnamespace"
         " JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid"
         " WHERE n.nspname = " +
         pg::Quoted(schema) + " AND t.relname IN (" + TableList() + ") ORDER BY 2";
}

// Where there is no such schema, the first condition keeps the server from looking through the
// functions at all.
std::string FunctionsStatement() {
  const std::string schema = "to_regnamespace(" + pg::Quoted(kFunctionSchema) + ")";
  return "SELECT p.proname FROM pg_proc AS p WHERE " + schema +
         " IS NOT NULL AND p.pronamespace = " + schema +
         " AND has_schema_privilege(p.pronamespace, 'USAGE')" +
         " AND has_function_privilege(p.oid, 'EXECUTE')";
}

using Schemas = std::map<std::string, Schema>;

const Schema* Spires(const Schemas& schemas) {
  const Schema* found = nullptr;
  for (const auto& [name, schema] : schemas) {
    if (!schema.tables.contains("registered_entries") || !schema.tables.contains("migrations")) {
      continue;
    }
    if (found == nullptr || name == "public") found = &schema;
  }
  return found;
}

}  // namespace

std::string Schema::Qualified(std::string_view table) const {
  return pg::QuotedName(name) + "." + pg::QuotedName(table);
}

bool Schema::Has(std::string_view table, std::string_view column) const {
  const auto found = tables.find(table);
  return found != tables.end() && found->second.columns.contains(column);
}

Status Schema::Reads(std::string_view table,
                     std::initializer_list<std::string_view> columns) const {
  const auto found = tables.find(table);
  if (found == tables.end()) {
    return Error{Code::kNotFound, "no table " + std::string(table), "", false};
  }
  std::string missing;
  for (const std::string_view column : columns) {
    const auto one = found->second.columns.find(column);
    if (one == found->second.columns.end()) {
      return Error{Code::kNotFound, "no column " + std::string(table) + "." + std::string(column),
                   "", false};
    }
    if (!one->second) missing += (missing.empty() ? "" : ", ") + std::string(column);
  }
  if (missing.empty()) return {};
  return Error{Code::kPermissionDenied,
               "no right to select " + missing + " of " + std::string(table), "", false};
}

std::string Schema::ColumnOrNull(std::string_view table, std::string_view column) const {
  return Reads(table, {column}).ok() ? pg::QuotedName(column) : "NULL";
}

Result<std::string> Schema::Ask(const Status& reads, std::string statement,
                                std::string_view function) const {
  if (reads.ok()) return statement;
  if (reads.error().code != Code::kPermissionDenied || !functions.contains(function)) {
    return reads.error();
  }
  return "SELECT * FROM " + pg::QuotedName(kFunctionSchema) + "." + pg::QuotedName(function) + "()";
}

Result<Schema> ReadSchema(pg::Connection& connection) {
  const auto columns = connection.Query("the columns of SPIRE's tables", ColumnsStatement());
  if (!columns.ok()) return columns.error();
  Schemas schemas;
  columns->ForEach([&](const pg::Row& row) {
    Schema& schema = schemas[row.TextOr(0, "")];
    Table& table = schema.tables[row.TextOr(1, "")];
    table.oid = row.Int(2).value_or(0);
    table.columns[row.TextOr(3, "")] = row.Bool(4).value_or(false);
  });
  const Schema* const spires = Spires(schemas);
  if (spires == nullptr) {
    return Error{Code::kNotFound, "no schema of this database has SPIRE's tables", "", false};
  }
  Schema schema = *spires;
  for (const auto& [name, candidate] : schemas) {
    if (&candidate == spires) schema.name = name;
  }
  const auto sequences =
      connection.Query("the sequences of SPIRE's tables", SequencesStatement(schema.name));
  if (!sequences.ok()) return sequences.error();
  sequences->ForEach([&](const pg::Row& row) {
    schema.sequences.push_back({row.Int(0).value_or(0), row.TextOr(1, ""), row.TextOr(2, ""),
                                row.Int(3).value_or(0), row.Bool(4).value_or(false)});
  });
  const auto functions = connection.Query("the functions of level 2", FunctionsStatement());
  if (!functions.ok()) return functions.error();
  functions->ForEach([&](const pg::Row& row) { schema.functions.insert(row.TextOr(0, "")); });
  return schema;
}

Result<pg::Rows> QueryHeavy(pg::Connection& connection, std::string_view what,
                            const std::string& statement) {
  std::optional<pg::Rows> rows;
  const Status streamed = connection.Stream(what, statement, [&](const pg::Row& row) {
    if (rows) return;
    rows.emplace(row.size());
    rows->Add(row);
  });
  if (!streamed.ok()) return streamed.error();
  return rows ? *std::move(rows) : pg::Rows(1);
}

std::string_view StateOf(const Status& status) {
  if (status.ok()) return "ok";
  switch (status.error().code) {
    case Code::kNotFound:
      return "no_table";
    case Code::kPermissionDenied:
      return "no_right";
    case Code::kAborted:
      return "locked";
    case Code::kDeadlineExceeded:
      return "timeout";
    case Code::kResourceExhausted:
      return "busy";
    case Code::kUnavailable:
    case Code::kUnauthenticated:
    case Code::kCancelled:
      return "unreachable";
    default:
      return "failed";
  }
}

bool MayPass(const Status& status) {
  return !status.ok() && status.error().code != Code::kNotFound &&
         status.error().code != Code::kPermissionDenied;
}

}  // namespace spire_exporter::datastore
