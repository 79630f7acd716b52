// What this collector may ask with rights of level 2: functions that run with the rights of their
// owner and give numbers about SPIRE's tables, never a row, an identity or a selector.
#ifndef COLLECTORS_DATASTORE_DEFINER_FUNCTIONS_H_
#define COLLECTORS_DATASTORE_DEFINER_FUNCTIONS_H_

#include <span>
#include <string_view>

namespace spire_exporter::datastore {

// The schema of the functions; nobody else's.
inline constexpr std::string_view kFunctionSchema = "spire_exporter";

// Functions and not views: a view would keep SPIRE's migrations from changing the columns that it
// names. The body of a function is text until it is called, so that a column that is gone is an
// error of that call alone. Once released, a function keeps its columns; other ones are a new name.
struct DefinerFunction {
  std::string_view name;
  std::string_view columns;  // name and type of each, as RETURNS TABLE takes them
  std::string_view body;     // a SELECT; @home@ stands for the schema of SPIRE's tables
  std::string_view what;     // in a few words
};

// By name; static storage.
std::span<const DefinerFunction> DefinerFunctions();

}  // namespace spire_exporter::datastore

#endif  // COLLECTORS_DATASTORE_DEFINER_FUNCTIONS_H_
