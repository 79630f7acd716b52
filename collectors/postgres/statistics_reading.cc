#include "collectors/postgres/statistics_reading.h"

#include <utility>

namespace spire_exporter::postgres {
namespace {

bool EndsTheRound(Code code) {
  return code == Code::kUnavailable || code == Code::kDeadlineExceeded || code == Code::kCancelled;
}

// Asks for parts until one says that there is no use in going on.
class Round {
 public:
  template <typename Read>
  auto Ask(Read read) -> decltype(read()) {
    if (ended_) return *ended_;
    auto result = read();
    if (!result.ok() && EndsTheRound(result.error().code)) ended_ = result.error();
    return result;
  }

 private:
  std::optional<Error> ended_;
};

}  // namespace

Result<StatisticsReading> ReadStatistics(pg::Connection& connection,
                                         const StatisticsQuestions& questions) {
  auto scope = ReadScope(connection, questions.spire_roles);
  if (!scope.ok()) return std::move(scope).error();
  Round round;
  // Locks first: what follows takes a while, in which they change.
  auto locks = round.Ask([&] { return ReadLocks(connection, *scope); });
  auto sessions =
      round.Ask([&] { return ReadSessions(connection, *scope, questions.long_transaction); });
  auto transactions = round.Ask([&] { return ReadTransactions(connection); });
  auto database = round.Ask([&] { return ReadDatabase(connection, *scope); });
  auto writes = round.Ask([&] { return ReadWrites(connection); });
  StatisticsReading reading{*scope,
                            std::move(locks),
                            std::move(sessions),
                            std::move(transactions),
                            std::move(database),
                            std::move(writes),
                            std::nullopt,
                            std::nullopt};
  if (questions.slow_parts) {
    reading.settings = round.Ask([&] { return ReadSettings(connection, *scope); });
    reading.tables = round.Ask([&] { return ReadTables(connection, *scope); });
  }
  return reading;
}

}  // namespace spire_exporter::postgres
