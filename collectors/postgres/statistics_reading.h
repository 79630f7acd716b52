// Everything that one round asks of one node.
#ifndef COLLECTORS_POSTGRES_STATISTICS_READING_H_
#define COLLECTORS_POSTGRES_STATISTICS_READING_H_

#include <optional>
#include <string>
#include <vector>

#include "collectors/clients/postgres/connection.h"
#include "collectors/postgres/capacity_server.h"
#include "collectors/postgres/capacity_sessions.h"
#include "collectors/postgres/capacity_settings.h"
#include "collectors/postgres/locks_reading.h"
#include "collectors/postgres/statistics_scope.h"
#include "exporter/base/clock.h"
#include "exporter/base/result.h"

namespace spire_exporter::postgres {

struct StatisticsQuestions {
  std::vector<std::string> spire_roles;
  Duration long_transaction = std::chrono::minutes(1);
  bool slow_parts = false;  // settings and tables too
};

// Each part by itself, so that a missing right costs one part alone.
struct StatisticsReading {
  StatisticsScope scope;
  Result<LocksReading> locks;
  Result<SessionsReading> sessions;
  Result<TransactionsReading> transactions;
  Result<DatabaseReading> database;
  Result<WritesReading> writes;
  // Nothing when it was not asked.
  std::optional<Result<SettingsReading>> settings;
  std::optional<Result<std::vector<TableReading>>> tables;
};

// Some seven statements, two more for the slow parts. Fails as a whole when the scope could not be
// read. A connection that broke, or a statement that took too long, ends the round: the parts after
// it have the same error.
Result<StatisticsReading> ReadStatistics(pg::Connection& connection,
                                         const StatisticsQuestions& questions);

}  // namespace spire_exporter::postgres

#endif  // COLLECTORS_POSTGRES_STATISTICS_READING_H_
