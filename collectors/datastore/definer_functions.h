// What this collector may ask with rights of level 2: functions that run with the rights of their
// owner and give numbers about SPIRE's tables, never a row, an identity or a selector.
#ifndef COLLECTORS_DATASTORE_DEFINER_FUNCTIONS_H_
#define COLLECTORS_DATASTORE_DEFINER_FUNCTIONS_H_

#include <span>
#include <string>
#include <string_view>

#include "collectors/datastore/schema.h"

namespace spire_exporter::datastore {

// Functions and not views: a view would keep SPIRE's migrations from changing the columns that it
// names. The body of a function is text until it is called, so that a column that is gone is an
// error of that call alone. Once released, a function keeps its columns; other ones are a new name.
struct DefinerFunction {
  std::string_view name;
  std::string_view columns;  // `oldest bigint, newest bigint`, as RETURNS TABLE takes them
  // The statement that the reading makes with rights of level 1: Schema::Ask() takes either.
  std::string (*statement)(const Schema& schema);
  std::string_view what;  // in a few words
};

// By name; static storage.
std::span<const DefinerFunction> DefinerFunctions();

// The body of a function: its statement on the tables in schema `home`, with the types of its
// columns.
std::string FunctionBody(const DefinerFunction& function, const std::string& home);

}  // namespace spire_exporter::datastore

#endif  // COLLECTORS_DATASTORE_DEFINER_FUNCTIONS_H_
