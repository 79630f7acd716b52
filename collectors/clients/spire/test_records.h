// Records that real servers wrote, for tests.
#ifndef COLLECTORS_CLIENTS_SPIRE_TEST_RECORDS_H_
#define COLLECTORS_CLIENTS_SPIRE_TEST_RECORDS_H_

#include <string>

#include "collectors/clients/spire/authority.h"

namespace spire_exporter::spire {

// A file of tests/testdata/spire_records, `tainted/journal_1`: as it is there, and as bytes. Throws
// when there is none.
std::string RecordHex(const std::string& name);
std::string RecordBytes(const std::string& name);

// What it reads as; throws when it does not.
Bundle BundleOf(const std::string& name);
Journal JournalOf(const std::string& name);

// `21:48:56` of the day on which they were written.
UnixTime At(const std::string& time);

}  // namespace spire_exporter::spire

#endif  // COLLECTORS_CLIENTS_SPIRE_TEST_RECORDS_H_
