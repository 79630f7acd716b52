// A connection to one PostgreSQL server, as the jobs of a session see it.
#ifndef COLLECTORS_CLIENTS_POSTGRES_CONNECTION_H_
#define COLLECTORS_CLIENTS_POSTGRES_CONNECTION_H_

#include <functional>
#include <string>
#include <string_view>

#include "collectors/clients/postgres/rows.h"
#include "exporter/base/result.h"

namespace spire_exporter::pg {

// Used by the thread of its session alone. Every statement is a transaction of its own and
// read-only; the session has set statement_timeout, lock_timeout, application_name, jit = off and a
// search_path of nothing but pg_catalog, so that SPIRE's tables are named with their schema.
//
// Errors carry the code that says what to do: kPermissionDenied (a right is missing), kNotFound (no
// such table, column or function), kDeadlineExceeded (statement_timeout), kAborted (lock_timeout,
// or cancelled by recovery; may work the next time), kUnavailable (the connection broke, or the
// server ends), kResourceExhausted (connections), kUnauthenticated, kFailedPrecondition (it would
// write), kUnimplemented, kInvalidArgument (the statement is wrong). Their text names `what` and
// has PostgreSQL's message, never the statement or a value.
class Connection {
 public:
  virtual ~Connection() = default;

  // server_version_num: 150018.
  virtual int version() const = 0;
  bool AtLeast(int major) const { return version() >= major * 10000; }

  // A small result: more than `kRowsMax` rows is kResourceExhausted.
  static constexpr size_t kRowsMax = 10'000;
  virtual Result<Rows> Query(std::string_view what, const std::string& statement) = 0;

  // A result of any size, in steady memory: `visit` sees each row once, in order, as it comes; the
  // row ends with the call. All of it is one transaction, which sees one moment. What `visit` saw
  // before an error must be thrown away.
  virtual Status Stream(std::string_view what, const std::string& statement,
                        const std::function<void(const Row&)>& visit) = 0;

  // A session-level advisory lock, kept until the connection ends: whoever has it is the one who
  // reads what only one should read. True when this session holds it now.
  virtual Result<bool> TryLock(int64_t key) = 0;
  virtual Status Unlock(int64_t key) = 0;
};

// A string constant: quotes doubled, and escaped where it needs to be. Not for names.
std::string Quoted(std::string_view text);
// A name, always in double quotes.
std::string QuotedName(std::string_view name);

}  // namespace spire_exporter::pg

#endif  // COLLECTORS_CLIENTS_POSTGRES_CONNECTION_H_
