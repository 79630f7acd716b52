// What PostgreSQL says when it refuses, in our words.
#ifndef COLLECTORS_CLIENTS_POSTGRES_SERVER_ERRORS_H_
#define COLLECTORS_CLIENTS_POSTGRES_SERVER_ERRORS_H_

#include <string>
#include <string_view>

#include "exporter/base/result.h"

namespace spire_exporter::pg {

// The code for a SQLSTATE (PostgreSQL's documentation, appendix A); kUnknown for one that says
// nothing to us, or none.
Code CodeOfSqlState(std::string_view sqlstate);

// Both take messages as PostgreSQL writes them in verbose form, `FATAL:  28P01: password ...`:
// libpqxx 6 keeps the SQLSTATE of some errors to itself. The first line is kept, without severity
// and state.

// The error of a statement; `what` is what was attempted.
Error StatementError(std::string_view what, std::string_view message);

// The error of a connection attempt, which has a SQLSTATE when it was the server that refused.
// Addresses are left out.
Error ConnectError(std::string_view message);

}  // namespace spire_exporter::pg

#endif  // COLLECTORS_CLIENTS_POSTGRES_SERVER_ERRORS_H_
