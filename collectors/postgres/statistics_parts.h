// Which parts of the statistics a node told, and why not.
#ifndef COLLECTORS_POSTGRES_STATISTICS_PARTS_H_
#define COLLECTORS_POSTGRES_STATISTICS_PARTS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "exporter/base/result.h"
#include "exporter/metrics/family.h"

namespace spire_exporter::postgres {

enum class StatisticsPart {
  kSpire,  // what on the server is SPIRE's
  kLocks,
  kSessions,
  kTransactions,
  kDatabase,
  kWrites,
  kSettings,
  kTables,
  kSize,
};
inline constexpr std::string_view kStatisticsParts[] = {"spire",        "locks",    "sessions",
                                                        "transactions", "database", "writes",
                                                        "settings",     "tables",   "size"};

std::span<const FamilyDescription* const> PartsFamilies();

// Collects the outcomes of one round, of all nodes. Not safe from several threads.
class PartsReport {
 public:
  void Good(std::string_view node, StatisticsPart part, FamilyBuilder& families);
  void Bad(std::string_view node, StatisticsPart part, const Error& error, FamilyBuilder& families);
  // Every part.
  void AllBad(std::string_view node, const Error& error, FamilyBuilder& families);

  // The first problem, with its node, and how many more there are.
  Status Summary() const;

 private:
  void Remember(std::string_view node, const Error& error);

  std::optional<Error> first_;
  uint64_t problems_ = 0;
};

}  // namespace spire_exporter::postgres

#endif  // COLLECTORS_POSTGRES_STATISTICS_PARTS_H_
