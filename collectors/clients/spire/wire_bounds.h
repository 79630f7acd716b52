// Bounds on a message before anything is built of it.
#ifndef COLLECTORS_CLIENTS_SPIRE_WIRE_BOUNDS_H_
#define COLLECTORS_CLIENTS_SPIRE_WIRE_BOUNDS_H_

#include <cstddef>
#include <string_view>

#include "exporter/base/result.h"

namespace spire_exporter::spire {

// Whether `message` (protobuf) has at most so many bytes, and on its top level at most so many
// elements that take memory of their own: of a few bytes each they would take a hundred times their
// size. kResourceExhausted, with `what` ("a bundle"). Copies nothing. What is no protobuf passes,
// for the parser to find.
Status CheckBounds(std::string_view what, std::string_view message, size_t bytes_max,
                   size_t elements_max);

// The same of what is within each of those elements: at most so many in any of them.
Status CheckNestedBounds(std::string_view what, std::string_view message, size_t elements_max);

}  // namespace spire_exporter::spire

#endif  // COLLECTORS_CLIENTS_SPIRE_WIRE_BOUNDS_H_
