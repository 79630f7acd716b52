// Any bytes as a line of SPIRE's log: one of three kinds, with names of the closed sets.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "collectors/spire_config/audit_line.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using spire_exporter::spire_config::AuditEvent;
  using spire_exporter::spire_config::LineKind;
  const std::string line(data, data + size);
  AuditEvent event;
  const LineKind kind = spire_exporter::spire_config::ReadAuditLine(line, &event);
  if (kind == LineKind::kOther) return 0;
  if (line.find("audit") == std::string::npos) std::abort();
  if (event.method >= spire_exporter::spire_config::kAuditMethods.size() ||
      event.status >= spire_exporter::spire_config::kAuditStatuses.size() ||
      event.caller >= spire_exporter::spire_config::kAuditCallers.size()) {
    std::abort();
  }
  return 0;
}
