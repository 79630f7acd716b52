#include "collectors/datastore/grants.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "collectors/clients/postgres/connection.h"
#include "collectors/datastore/definer_functions.h"
#include "collectors/datastore/granted_columns.h"
#include "collectors/datastore/schema.h"
#include "exporter/base/text.h"

namespace spire_exporter::datastore {
namespace {

using Words = std::initializer_list<std::pair<std::string_view, std::string>>;

// Replaces each @word@ of the template, once: what stands in for it is not looked at again.
std::string Fill(std::string_view text, const Words& words) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const auto known = std::find_if(words.begin(), words.end(), [&](const auto& word) {
      return text.substr(at).starts_with(word.first);
    });
    if (known == words.end()) {
      out += text[at++];
    } else {
      out += known->second;
      at += known->first.size();
    }
  }
  return out;
}

// A name as people give it on the command line, where it is not the usual one.
std::string Flag(std::string_view flag, std::string_view value, std::string_view usual) {
  if (value == usual) return "";
  return " --" + std::string(flag) + "=" + ShellWord(value);
}

constexpr std::string_view kBegin = R"(\set ON_ERROR_STOP on
BEGIN;
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL lock_timeout = '5s';
)";

// Whether the role is fit to be changed, and whether this is the place.
constexpr std::string_view kLook = R"(
-- Stop where this is not SPIRE's database, or the role is somebody with powers of their own.
DO $grants$
DECLARE
  powers text;
BEGIN
  IF to_regclass(format('%I.registered_entries', @home_text@)) IS NULL THEN
    RAISE EXCEPTION 'schema % of database % has no table registered_entries', @home_text@,
      current_database() USING HINT = 'Connect to SPIRE''s database; another schema: --schema=NAME';
  END IF;
  SELECT concat_ws(', ', CASE WHEN rolsuper THEN 'SUPERUSER' END,
           CASE WHEN rolcreaterole THEN 'CREATEROLE' END, CASE WHEN rolcreatedb THEN 'CREATEDB' END,
           CASE WHEN rolreplication THEN 'REPLICATION' END,
           CASE WHEN rolbypassrls THEN 'BYPASSRLS' END,
           CASE WHEN EXISTS (SELECT FROM pg_class WHERE relowner = pg_roles.oid)
             THEN 'tables of its own' END,
           CASE WHEN EXISTS (SELECT FROM pg_class AS c JOIN pg_namespace AS n
             ON n.oid = c.relnamespace WHERE n.nspname = @home_text@ AND c.relkind IN ('r', 'p')
             AND pg_has_role(pg_roles.oid, c.relowner, 'MEMBER'))
             THEN 'the rights of the owner of SPIRE''s tables' END)
    INTO powers FROM pg_roles WHERE rolname = @role_text@;
  IF powers <> '' THEN
    RAISE EXCEPTION 'role % has %', @role_text@, powers
      USING HINT = 'Take a role of its own: --role=NAME';
  END IF;
END
$grants$;
)";

// INHERIT, because the membership below has to hold without SET ROLE.
constexpr std::string_view kRole = R"(
-- The role, without a password: set one by \password in psql, or let it in by a certificate.
DO $grants$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = @role_text@) THEN
    CREATE ROLE @role@ LOGIN;
  END IF;
END
$grants$;
ALTER ROLE @role@ LOGIN INHERIT CONNECTION LIMIT @limit@;
ALTER ROLE @role@ SET default_transaction_read_only = on;
ALTER ROLE @role@ SET statement_timeout = '10s';
ALTER ROLE @role@ SET lock_timeout = '1s';
ALTER ROLE @role@ SET idle_in_transaction_session_timeout = '10s';

-- The server's statistics: sessions, locks, replication. pg_monitor would be more than is needed.
GRANT pg_read_all_stats TO @role@@inherit@;
)";

// Takes the role's rights at what is in the database, so that nothing is left of another level.
constexpr std::string_view kTakeBack = R"(
-- Take back what it has here, @why@.
DO $grants$
DECLARE
  thing record;
BEGIN
  FOR thing IN
    SELECT DISTINCT c.oid::regclass AS name, n.nspname
      FROM pg_shdepend AS d JOIN pg_class AS c ON c.oid = d.objid
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND d.classid = 'pg_class'::regclass AND d.deptype = 'a'
       AND d.refclassid = 'pg_authid'::regclass
       AND d.refobjid = (SELECT oid FROM pg_roles WHERE rolname = @role_text@)
       AND n.nspname = @home_text@
  LOOP
    EXECUTE format('REVOKE ALL ON %s FROM %I', thing.name, @role_text@);
  END LOOP;
  EXECUTE format('REVOKE ALL ON SCHEMA %I FROM %I', @home_text@, @role_text@);
  IF to_regnamespace(@functions_text@) IS NOT NULL THEN
    EXECUTE format('REVOKE ALL ON ALL FUNCTIONS IN SCHEMA %I FROM %I', @functions_text@,
      @role_text@);
    EXECUTE format('REVOKE ALL ON SCHEMA %I FROM %I', @functions_text@, @role_text@);
  END IF;
END
$grants$;
)";

constexpr std::string_view kConnect = R"(
DO $grants$
BEGIN
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), @role_text@);
END
$grants$;
)";

constexpr std::string_view kSequences = R"(
-- How many ids are used up. SELECT shows the position; nextval and setval stay refused.
DO $grants$
DECLARE
  sequence record;
BEGIN
  FOR sequence IN
    SELECT DISTINCT s.oid::regclass AS name
      FROM pg_class AS s JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass
       AND d.objid = s.oid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
      JOIN pg_class AS t ON t.oid = d.refobjid JOIN pg_namespace AS n ON n.oid = t.relnamespace
     WHERE s.relkind = 'S' AND n.nspname = @home_text@ AND t.relname IN (@tables@)
  LOOP
    EXECUTE format('GRANT SELECT ON SEQUENCE %s TO %I', sequence.name, @role_text@);
  END LOOP;
END
$grants$;
)";

constexpr std::string_view kColumnsHead = R"(
-- Columns, of those tables that this version of SPIRE has. After an upgrade run this again.
DO $grants$
DECLARE
  line record;
BEGIN
  FOR line IN
    SELECT wanted.relation, c.oid::regclass AS name,
           string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) AS columns
      FROM (VALUES
)";

constexpr std::string_view kColumnsTail = R"(      ) AS wanted (relation, attribute)
      LEFT JOIN (pg_class AS c JOIN pg_namespace AS n
         ON n.oid = c.relnamespace AND n.nspname = @home_text@ AND c.relkind IN ('r', 'p'))
        ON c.relname = wanted.relation
      LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = wanted.attribute
       AND a.attnum > 0 AND NOT a.attisdropped
     GROUP BY wanted.relation, c.oid
  LOOP
    IF line.columns IS NULL THEN
      RAISE NOTICE 'no table % yet: run this again when SPIRE has made it', line.relation;
    ELSE
      EXECUTE format('GRANT SELECT (%s) ON TABLE %s TO %I', line.columns, line.name, @role_text@);
    END IF;
  END LOOP;
END
$grants$;
)";

constexpr std::string_view kFunctionsHead = R"(
-- Functions that give numbers about SPIRE's tables, in a schema of their own. Their bodies are
-- text, so that they never stand in the way of a migration of SPIRE's.
DO $grants$
DECLARE
  functions_owner text := NULLIF(@owner_text@, '');
BEGIN
  IF functions_owner IS NULL THEN
    SELECT pg_get_userbyid(relowner) INTO functions_owner FROM pg_class
     WHERE oid = to_regclass(format('%I.registered_entries', @home_text@));
  END IF;
  IF to_regnamespace(@functions_text@) IS NULL THEN
    EXECUTE format('CREATE SCHEMA %I AUTHORIZATION %I', @functions_text@, functions_owner);
    EXECUTE format('COMMENT ON SCHEMA %I IS %L', @functions_text@, @mark_text@);
  ELSIF obj_description(to_regnamespace(@functions_text@), 'pg_namespace')
      IS DISTINCT FROM @mark_text@ THEN
    RAISE EXCEPTION 'there is a schema % that spire-exporter grants did not make', @functions_text@;
  END IF;
  -- From here on with the rights of the owner, until RESET ROLE.
  EXECUTE format('SET LOCAL ROLE %I', functions_owner);
END
$grants$;
SET LOCAL check_function_bodies = off;
)";

constexpr std::string_view kFunctionsTail = R"(
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA @functions@ FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA @functions@ TO @role@;
GRANT USAGE ON SCHEMA @functions@ TO @role@;
RESET ROLE;
)";

constexpr std::string_view kMark = "Made by spire-exporter grants; removed by its --remove.";

constexpr std::string_view kRemove = R"(
-- The functions, unless another role may call them.
DO $grants$
DECLARE
  thing record;
BEGIN
  IF obj_description(to_regnamespace(@functions_text@), 'pg_namespace') = @mark_text@ THEN
    IF EXISTS (SELECT FROM pg_namespace AS n, aclexplode(n.nspacl) AS a
                WHERE n.nspname = @functions_text@ AND a.grantee <> n.nspowner) THEN
      RAISE NOTICE 'schema % stays: another role uses it', @functions_text@;
    ELSE
      FOR thing IN SELECT p.oid::regprocedure AS name FROM pg_proc AS p
        WHERE p.pronamespace = to_regnamespace(@functions_text@)
      LOOP
        EXECUTE format('DROP FUNCTION %s', thing.name);
      END LOOP;
      EXECUTE format('DROP SCHEMA %I', @functions_text@);
    END IF;
  END IF;
END
$grants$;

-- The role, unless it has rights elsewhere. Sessions that it has go on until they end.
DO $grants$
DECLARE
  places text;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = @role_text@) THEN
    RETURN;
  END IF;
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM %I', current_database(), @role_text@);
  SELECT string_agg(DISTINCT coalesce(b.datname, 'the whole cluster'), ', ') INTO places
    FROM pg_shdepend AS d LEFT JOIN pg_database AS b
      ON b.oid = CASE WHEN d.classid = 'pg_database'::regclass THEN d.objid ELSE d.dbid END
   WHERE d.refclassid = 'pg_authid'::regclass AND d.deptype IN ('a', 'o')
     AND d.refobjid = (SELECT oid FROM pg_roles WHERE rolname = @role_text@);
  IF places IS NOT NULL THEN
    RAISE NOTICE 'role % stays: it has rights or belongings in %', @role_text@, places;
  ELSE
    EXECUTE format('REVOKE pg_read_all_stats FROM %I', @role_text@);
    EXECUTE format('DROP ROLE %I', @role_text@);
  END IF;
END
$grants$;
)";

// What may be revoked from a role that is not there.
constexpr std::string_view kIfRole =
    "  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = "
    "@role_text@) THEN\n    RETURN;\n  END IF;\n";

std::string TableLines() {
  std::string list;
  for (const std::string_view table : kTableNames) {
    list += (list.empty() ? "" : ",\n       ") + pg::Quoted(table);
  }
  return list;
}

std::string Columns() {
  std::string text(kColumnsHead);
  for (const GrantedColumn& granted : kGrantedColumns) {
    text += "        (" + pg::Quoted(granted.table) + ", " + pg::Quoted(granted.column) + ")";
    text += &granted == &kGrantedColumns.back() ? "  -- " : ",  -- ";
    text += std::string(granted.why) + "\n";
  }
  return text + std::string(kColumnsTail);
}

std::string Functions(const GrantOptions& options) {
  std::string text;
  for (const DefinerFunction& function : DefinerFunctions()) {
    text += "\n-- " + std::string(function.what) + "\nCREATE OR REPLACE FUNCTION " +
            pg::QuotedName(kFunctionSchema) + "." + pg::QuotedName(function.name) +
            "()\n  RETURNS TABLE (" + std::string(function.columns) +
            ")\n  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp\n"
            "  SET max_parallel_workers_per_gather = 0 AS $body$\n" +
            FunctionBody(function, options.schema) + "\n$body$;\n";
  }
  return text;
}

std::string Head(const GrantOptions& options) {
  const std::string level = std::to_string(options.level);
  std::string text =
      options.remove
          ? "-- Takes away what spire-exporter grants gave, and the role with it.\n"
          : "-- Rights of spire-exporter at SPIRE's database, level " + level + ": " +
                (options.level == 1 ? "columns of SPIRE's tables, no secret among them.\n"
                                    : "numbers about SPIRE's tables, and no row of them.\n");
  text += "--   spire-exporter grants" +
          (options.remove ? std::string(" --remove") : " --level=" + level) +
          Flag("role", options.role, kDefaultRole) + Flag("owner", options.owner, "") +
          Flag("schema", options.schema, "public") +
          " | psql -X -d DATABASE -f -\n"
          "-- as a superuser, or as the owner of SPIRE's tables when it may create roles.\n";
  return text;
}

}  // namespace

std::string GrantsSql(const GrantOptions& options) {
  std::string text = Head(options) + std::string(kBegin);
  if (options.remove) {
    std::string take(kTakeBack);
    take.insert(take.find("BEGIN\n") + 6, kIfRole);
    text += take + std::string(kRemove);
  } else {
    text +=
        std::string(kLook) + std::string(kRole) + std::string(kTakeBack) + std::string(kConnect);
    if (options.level == 1) {
      text += "GRANT USAGE ON SCHEMA @home@ TO @role@;\n" + Columns() + std::string(kSequences);
    } else {
      text += std::string(kSequences) + std::string(kFunctionsHead) + "@bodies@" +
              std::string(kFunctionsTail);
    }
  }
  text += "COMMIT;\n";
  return Fill(text,
              {{"@tables@", TableLines()},
               {"@bodies@", options.level == 2 ? Functions(options) : ""},
               {"@why@", options.remove ? "all of it" : "then give what this level needs"},
               {"@inherit@", options.postgres_version >= 16 ? " WITH INHERIT TRUE, SET FALSE" : ""},
               {"@limit@", std::to_string(options.connection_limit)},
               {"@mark_text@", pg::Quoted(kMark)},
               {"@functions@", pg::QuotedName(kFunctionSchema)},
               {"@functions_text@", pg::Quoted(kFunctionSchema)},
               {"@home@", pg::QuotedName(options.schema)},
               {"@home_text@", pg::Quoted(options.schema)},
               {"@owner_text@", pg::Quoted(options.owner)},
               {"@role@", pg::QuotedName(options.role)},
               {"@role_text@", pg::Quoted(options.role)}});
}

}  // namespace spire_exporter::datastore
