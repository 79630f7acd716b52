// Fuzzes the reader of SPIRE's journals: whatever the database holds, nothing crashes, and what is
// read keeps its bounds.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "collectors/clients/spire/records.h"

using spire_exporter::spire::AuthorityType;
using spire_exporter::spire::JournalAuthority;
using spire_exporter::spire::kAuthoritiesMax;
using spire_exporter::spire::ReadJournal;

namespace {

void Require(bool promise) {
  if (!promise) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto journal = ReadJournal(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!journal.ok()) {
    Require(!journal.error().what.empty());
    return 0;
  }
  Require(journal->authorities.size() + journal->unreadable <= kAuthoritiesMax + 1);
  for (const JournalAuthority& each : journal->authorities) {
    Require(!each.id.empty() && each.id.size() <= 256);
    Require(each.not_after.time_since_epoch().count() >= 0);
    Require(each.type == AuthorityType::kX509 || (each.issuers.empty() && !each.self_issued));
    Require(std::is_sorted(each.issuers.begin(), each.issuers.end()));
  }
  return 0;
}
