// Which format and which content coding a client gets, from what it says it accepts (RFC 9110, 12.4
// and 12.5).
#ifndef EXPORTER_EXPOSE_NEGOTIATION_H_
#define EXPORTER_EXPOSE_NEGOTIATION_H_

#include <string_view>

#include "exporter/expose/writer.h"

namespace spire_exporter {

// `accept`: all Accept lines joined by ", "; empty when there is none. Whatever it holds, the
// answer is a format that can be written: text 0.0.4 where nothing fits, so that a person with curl
// sees something.
//
// The most specific range that fits a format gives its quality; `q=0` rules it out. The best
// quality wins, then the more specific range, then the one named first, then text. A range with
// another `version` than ours does not fit; protobuf is only for those who name it with its `proto`
// and `encoding`, never for a wildcard; parameters that we do not know, `escaping` above all,
// change nothing: our names need no escaping, and are answered alike for every scheme. An element
// that is not well-formed is passed over.
//
// Safe from any thread; linear in the header's length; allocates nothing.
Format ChooseFormat(std::string_view accept);

enum class Coding { kIdentity, kGzip };

// `accept_encoding`: all Accept-Encoding lines joined by ", ". Gzip only where it is asked for, by
// its name or by `*`, with a quality that is not below that of `identity`; identity where nothing
// fits, since a body must have some coding.
Coding ChooseCoding(std::string_view accept_encoding);

}  // namespace spire_exporter

#endif  // EXPORTER_EXPOSE_NEGOTIATION_H_
