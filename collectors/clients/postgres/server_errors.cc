#include "collectors/clients/postgres/server_errors.h"

#include <algorithm>
#include <cctype>

#include "exporter/base/text.h"

namespace spire_exporter::pg {
namespace {

struct State {
  std::string_view prefix;  // of the SQLSTATE; the first that fits counts
  Code code;
};

constexpr State kStates[] = {
    {"42501", Code::kPermissionDenied},    // insufficient_privilege
    {"42P01", Code::kNotFound},            // undefined_table
    {"42703", Code::kNotFound},            // undefined_column
    {"42883", Code::kNotFound},            // undefined_function
    {"42704", Code::kNotFound},            // undefined_object
    {"3F000", Code::kNotFound},            // invalid_schema_name
    {"3D000", Code::kNotFound},            // invalid_catalog_name: no such database
    {"57014", Code::kDeadlineExceeded},    // query_canceled: statement_timeout
    {"55P03", Code::kAborted},             // lock_not_available: lock_timeout
    {"25006", Code::kFailedPrecondition},  // read_only_sql_transaction
    {"53", Code::kResourceExhausted},  // insufficient resources, too_many_connections among them
    {"28", Code::kUnauthenticated},    // invalid authorization
    {"40", Code::kAborted},            // rollback: conflict with recovery, deadlock
    {"57P", Code::kUnavailable},       // shutdown, crash, cannot_connect_now, database_dropped
    {"08", Code::kUnavailable},        // connection exceptions
    {"0A", Code::kUnimplemented},      // feature_not_supported
    {"42", Code::kInvalidArgument},    // syntax
};

bool Retryable(Code code) {
  return code == Code::kDeadlineExceeded || code == Code::kAborted || code == Code::kUnavailable ||
         code == Code::kResourceExhausted;
}

bool IsSqlState(std::string_view text) {
  return text.size() == 5 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
         });
}

std::string_view FirstLine(std::string_view text) {
  return Trim(text.substr(0, text.find('\n')));
}

// Severities are translated by the server and end in a colon and two spaces.
std::string_view WithoutSeverity(std::string_view line) {
  const size_t colon = line.find(":  ");
  return colon == std::string_view::npos ? line : Trim(line.substr(colon + 1));
}

// Takes `28P01: ` off the front of `line` and gives the state; empty where there is none.
std::string_view TakeSqlState(std::string_view* line) {
  const size_t colon = line->find(": ");
  if (colon == std::string_view::npos || !IsSqlState(line->substr(0, colon))) return {};
  const std::string_view state = line->substr(0, colon);
  line->remove_prefix(colon + 2);
  return state;
}

}  // namespace

Code CodeOfSqlState(std::string_view sqlstate) {
  for (const State& state : kStates) {
    if (sqlstate.substr(0, state.prefix.size()) == state.prefix) return state.code;
  }
  return Code::kUnknown;
}

Error StatementError(std::string_view what, std::string_view message) {
  std::string_view line = WithoutSeverity(FirstLine(message));
  Error error;
  error.code = CodeOfSqlState(TakeSqlState(&line));
  error.what = std::string(what) + ": " + std::string(line);
  error.retryable = Retryable(error.code);
  return error;
}

Error ConnectError(std::string_view message) {
  std::string_view line = FirstLine(message);
  // libpq 14 and later: `connection to server at "name" (address), port 5432 failed: reason`.
  constexpr std::string_view kFailed = " failed: ";
  if (line.substr(0, 21) == "connection to server ") {
    const size_t failed = line.find(kFailed);
    if (failed != std::string_view::npos) line = line.substr(failed + kFailed.size());
  }
  line = WithoutSeverity(line);
  Error error;
  error.code = Code::kUnavailable;
  if (const std::string_view state = TakeSqlState(&line); !state.empty()) {
    error.code = CodeOfSqlState(state);
  } else if (line.find("password") != std::string_view::npos) {
    error.code = Code::kUnauthenticated;  // libpq itself: no password was supplied
  } else if (line.find("certificate") != std::string_view::npos ||
             line.find("SSL") != std::string_view::npos ||
             line.find("ssl") != std::string_view::npos) {
    error.code = Code::kFailedPrecondition;
  }
  error.what = "connect: " + std::string(line);
  error.retryable = true;
  return error;
}

}  // namespace spire_exporter::pg
