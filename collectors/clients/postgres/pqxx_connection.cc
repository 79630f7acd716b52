#include "collectors/clients/postgres/pqxx_connection.h"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <optional>
#include <pqxx/pqxx>
#if !defined(PQXX_VERSION_MAJOR) || PQXX_VERSION_MAJOR < 7
#include <pqxx/internal/encodings.hxx>
#endif
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/clients/postgres/server_errors.h"

namespace spire_exporter::pg {
namespace {

constexpr std::string_view kFetch = "FETCH FORWARD 5000 FROM spire_exporter_rows";

struct Finish {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
using RawConnection = std::unique_ptr<PGconn, Finish>;

#if defined(PQXX_VERSION_MAJOR) && PQXX_VERSION_MAJOR >= 7
using Adopted = pqxx::connection;

std::unique_ptr<Adopted> Adopt(RawConnection raw) {
  return std::make_unique<Adopted>(pqxx::connection::seize_raw_connection(raw.release()));
}
int SocketOf(const Adopted& connection) {
  return connection.sock();
}
#else
// libpqxx 6 makes a table of encodings with its first result, guarded in code that ThreadSanitizer
// does not see. Made before, each thread reads it after what can be seen.
void MakeEncodings() {
  [[maybe_unused]] static const auto first = pqxx::internal::enc_group("UTF8");
}

// libpqxx 6 connects through a policy: ours hands over what is connected, once. A connection that
// broke is never made again behind our back.
class AdoptPolicy : public pqxx::connectionpolicy {
 public:
  explicit AdoptPolicy(RawConnection raw) : connectionpolicy(""), raw_(std::move(raw)) {}
  handle do_startconnect(handle connection) override {
    if (connection != nullptr) return connection;
    if (!raw_) throw pqxx::broken_connection("the connection broke");
    return raw_.release();
  }
  handle do_completeconnect(handle connection) override { return connection; }

 private:
  RawConnection raw_;
};

class Adopted : public pqxx::connection_base {
 public:
  explicit Adopted(RawConnection raw) : connection_base(policy_), policy_(std::move(raw)) {
    MakeEncodings();
    init();
  }
  ~Adopted() { close(); }

 private:
  AdoptPolicy policy_;
};

std::unique_ptr<Adopted> Adopt(RawConnection raw) {
  return std::make_unique<Adopted>(std::move(raw));
}
int SocketOf(const Adopted& connection) {
  return connection.sock();
}
#endif

void IgnoreNotice(void*, const char*) {}

class PqxxConnection final : public ServerConnection {
 public:
  PqxxConnection(std::unique_ptr<Adopted> connection, int version, Duration lock_timeout)
      : connection_(std::move(connection)), version_(version), lock_timeout_(lock_timeout) {}

  int version() const override { return version_; }
  int fd() const override { return SocketOf(*connection_); }

  bool usable() override {
    if (broken_ || !connection_->is_open()) return false;
    // Between statements a server says nothing but its farewell.
    pollfd waiting = {fd(), POLLIN, 0};
    return poll(&waiting, 1, 0) == 0;
  }

  Status SetUp() override {
    const std::string milliseconds = std::to_string(
        std::chrono::duration_cast<std::chrono::milliseconds>(lock_timeout_).count());
    std::string settings =
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY;"
        "SET lock_timeout = " +
        milliseconds +
        ";"
        "SET idle_in_transaction_session_timeout = '10s';"
        "SET search_path = pg_catalog;"
        "SET jit = off;"
        "SET max_parallel_workers_per_gather = 0;"
        "SET cursor_tuple_fraction = 1;"
        "SET bytea_output = hex;"
        "SET datestyle = 'ISO, YMD';"
        "SET timezone = 'UTC'";
    // So that a statement ends when we have left; from PostgreSQL 14 on.
    if (AtLeast(14)) settings += ";SET client_connection_check_interval = '2s'";
    return Run("set up the session", settings, [](const pqxx::result&) {});
  }

  Status SetStatementTimeout(Duration timeout) override {
    const int64_t milliseconds = std::max<int64_t>(
        1, std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count());
    if (statement_timeout_ms_ == milliseconds) return {};
    const Status set =
        Run("set statement_timeout", "SET statement_timeout = " + std::to_string(milliseconds),
            [](const pqxx::result&) {});
    if (set.ok()) statement_timeout_ms_ = milliseconds;
    return set;
  }

  Result<Rows> Query(std::string_view what, const std::string& statement) override {
    std::optional<Rows> rows;
    bool too_many = false;
    const Status status = Run(what, statement, [&](const pqxx::result& result) {
      rows.emplace(static_cast<size_t>(result.columns()));
      too_many = static_cast<size_t>(result.size()) > kRowsMax;
      if (!too_many) VisitAll(result, [&rows](const Row& row) { rows->Add(row); });
    });
    if (!status.ok()) return status.error();
    if (too_many) {
      return Error{Code::kResourceExhausted,
                   std::string(what) + ": more than " + std::to_string(kRowsMax) + " rows", "",
                   false};
    }
    return std::move(*rows);
  }

  Status Stream(std::string_view what, const std::string& statement,
                const std::function<void(const Row&)>& visit) override {
    const auto ignore = [](const pqxx::result&) {};
    if (Status begun = Run(what, "BEGIN READ ONLY", ignore); !begun.ok()) return begun;
    Status status =
        Run(what, "DECLARE spire_exporter_rows NO SCROLL CURSOR FOR " + statement, ignore);
    for (bool more = true; status.ok() && more;) {
      status = Run(what, std::string(kFetch), [&](const pqxx::result& result) {
        VisitAll(result, visit);
        more = !result.empty();
      });
    }
    const Status ended = Run(what, status.ok() ? "COMMIT" : "ROLLBACK", ignore);
    // In a transaction that did not end, the next statement would fail or hold rows back.
    if (!ended.ok()) broken_ = true;
    return status.ok() ? ended : status;
  }

  Result<bool> TryLock(int64_t key) override {
    if (locks_.count(key) > 0) return true;  // PostgreSQL would count it twice
    Result<Rows> rows =
        Query("take the advisory lock", "SELECT pg_try_advisory_lock(" + std::to_string(key) + ")");
    if (!rows) return rows.error();
    const bool taken = rows->Bool(0).value_or(false);
    if (taken) locks_.insert(key);
    return taken;
  }

  Status Unlock(int64_t key) override {
    if (locks_.erase(key) == 0) return {};
    Result<Rows> rows = Query("give the advisory lock back",
                              "SELECT pg_advisory_unlock(" + std::to_string(key) + ")");
    return rows ? Status() : Status(rows.error());
  }

 private:
  template <typename Visit>
  void VisitAll(const pqxx::result& result, const Visit& visit) {
    const auto columns = static_cast<size_t>(result.columns());
    cells_.resize(columns);
    for (const auto& row : result) {
      for (size_t column = 0; column < columns; ++column) {
        const auto field = row[static_cast<pqxx::row::size_type>(column)];
        cells_[column] =
            field.is_null() ? Cell() : Cell(std::string_view(field.c_str(), field.size()));
      }
      visit(Row(cells_));
    }
  }

  // The exceptions of libpqxx end here; what `use` throws passes through.
  template <typename Use>
  Status Run(std::string_view what, const std::string& statement, const Use& use) {
    pqxx::result result;
    try {
      pqxx::nontransaction transaction(*connection_);
      result = transaction.exec(statement);
      transaction.commit();
    } catch (const pqxx::broken_connection& error) {
      broken_ = true;
      return Unavailable(what, error.what());
    } catch (const pqxx::sql_error& error) {
      // A server that ends says so and closes; libpqxx notices one statement later.
      Error ours = StatementError(what, error.what());
      if (!connection_->is_open() || ours.code == Code::kUnavailable) {
        broken_ = true;
        return Unavailable(what, ours.what.substr(std::min(ours.what.size(), what.size() + 2)));
      }
      return ours;
    } catch (const std::exception& error) {
      broken_ = true;
      return Unavailable(what, error.what());
    }
    use(result);
    return {};
  }

  static Error Unavailable(std::string_view what, std::string_view message) {
    message = message.substr(0, message.find('\n'));
    return {Code::kUnavailable,
            std::string(what) + ": " +
                (message.empty() ? "the connection broke" : std::string(message)),
            "", true};
  }

  const std::unique_ptr<Adopted> connection_;
  const int version_;
  const Duration lock_timeout_;
  bool broken_ = false;
  int64_t statement_timeout_ms_ = -1;
  std::set<int64_t> locks_;
  std::vector<Cell> cells_;  // of the row that is visited
};

// What libpq is told; the views live as long as the arguments.
struct Parameters {
  std::vector<const char*> keywords;
  std::vector<const char*> values;

  void Set(const char* keyword, const std::string& value) {
    keywords.push_back(keyword);
    values.push_back(value.c_str());
  }
};

Result<RawConnection> Establish(RawConnection raw, const Waiter& waiter) {
  if (!raw) return Error{Code::kResourceExhausted, "connect: out of memory", "", true};
  // So that messages hold their SQLSTATE.
  PQsetErrorVerbosity(raw.get(), PQERRORS_VERBOSE);
  PQsetNoticeProcessor(raw.get(), &IgnoreNotice, nullptr);
  if (PQstatus(raw.get()) == CONNECTION_BAD) return ConnectError(PQerrorMessage(raw.get()));
  PostgresPollingStatusType next = PGRES_POLLING_WRITING;
  while (next != PGRES_POLLING_OK) {
    if (next == PGRES_POLLING_FAILED) return ConnectError(PQerrorMessage(raw.get()));
    const short events = next == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    if (Status waited = waiter.Wait(PQsocket(raw.get()), events, "connect"); !waited.ok()) {
      return waited.error();
    }
    next = PQconnectPoll(raw.get());
  }
  return raw;
}

}  // namespace

Result<std::unique_ptr<ServerConnection>> OpenConnection(const Conninfo& info, const Host& host,
                                                         const ClientOptions& options,
                                                         const Waiter& waiter) {
  const std::string port = std::to_string(host.port);
  const std::string encoding = "UTF8";
  const std::string off = "disable";
  const std::string verify = "verify-full";
  // A peer that vanished without a word is given up by the kernel too.
  const std::string user_timeout = "10000";
  Parameters all;
  all.Set("host", host.host);
  if (!host.hostaddr.empty()) all.Set("hostaddr", host.hostaddr);
  all.Set("port", port);
  for (const auto& [keyword, value] : info.parameters) all.Set(keyword.c_str(), value);
  const auto unless_given = [&](const char* keyword, const std::string& value) {
    if (info.Find(keyword).empty()) all.Set(keyword, value);
  };
  unless_given("application_name", options.application_name);
  unless_given("tcp_user_timeout", user_timeout);
  // Kerberos is asked for, not tried: it would look around in the file system at every connect.
  unless_given("gssencmode", off);
  if (!IsSocketDirectory(host.host)) unless_given("sslmode", verify);
  all.Set("client_encoding", encoding);
  all.keywords.push_back(nullptr);
  all.values.push_back(nullptr);

  Result<RawConnection> raw = Establish(
      RawConnection(PQconnectStartParams(all.keywords.data(), all.values.data(), 0)), waiter);
  if (!raw) return raw.error();
  const int version = PQserverVersion(raw->get());
  try {
    return std::unique_ptr<ServerConnection>(
        std::make_unique<PqxxConnection>(Adopt(std::move(*raw)), version, options.lock_timeout));
  } catch (const std::exception& error) {
    return Error{Code::kUnavailable, std::string("connect: ") + error.what(), "", true};
  }
}

std::string Quoted(std::string_view text) {
  std::string out;
  bool escaped = false;
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += c;
    escaped = escaped || c == '\\';
    if (c != '\0') out += c;
  }
  return (escaped ? "E'" : "'") + out + "'";
}

std::string QuotedName(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += c;
    if (c != '\0') out += c;
  }
  return out + "\"";
}

}  // namespace spire_exporter::pg
