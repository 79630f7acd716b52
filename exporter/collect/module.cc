#include "exporter/collect/module.h"

namespace spire_exporter {

std::string_view RoleName(Role role) {
  switch (role) {
    case Role::kServer:
      return "server";
    case Role::kAgent:
      return "agent";
    case Role::kStandalone:
      return "standalone";
  }
  return "standalone";
}

}  // namespace spire_exporter
