#include "tests/fakes/release.h"

#include <string>

#include "exporter/base/text.h"

namespace spire_exporter::fakes {

Result<Role> ParseRole(std::string_view text) {
  if (text == "server") return Role::kServer;
  if (text == "agent") return Role::kAgent;
  return Error{Code::kInvalidArgument, Quoted(text) + " is no role: expected server or agent", {}};
}

Result<Release> ParseRelease(std::string_view text) {
  if (text == "1.7.2") return Release::k1_7_2;
  if (text == "1.8.0") return Release::k1_8_0;
  if (text == "1.13.3") return Release::k1_13_3;
  if (text == "1.14.7") return Release::k1_14_7;
  if (text == "1.15.3") return Release::k1_15_3;
  return Error{Code::kInvalidArgument,
               Quoted(text) +
                   " is no version played here: expected 1.7.2, 1.8.0, 1.13.3, 1.14.7 or "
                   "1.15.3",
               {}};
}

std::string_view ServiceName(Role role) {
  return role == Role::kServer ? "spire_server" : "spire_agent";
}

std::string_view VersionLabel(Release release) {
  switch (release) {
    case Release::k1_7_2:
      return "1_7_2_dev_unk";
    case Release::k1_8_0:
      return "1_8_0_dev_unk";
    case Release::k1_13_3:
      return "1_13_3";
    case Release::k1_14_7:
      return "1_14_7";
    case Release::k1_15_3:
      break;
  }
  return "1_15_3";
}

const ClientDialect& DialectOf(Release release) {
  // Read off datadog-go at v3.2.0 and v4.8.3 (buffer.go, sender.go, uds.go, statsd.go) and held
  // against recorded datagrams. 3.2.0 tests the error of a unixgram write the wrong way round and
  // so forgets its connection after every success; it also keeps UDP's sizes there.
  static constexpr ClientDialect kV3 = {
      1, false, false, true, 1432, 2048, std::chrono::milliseconds(1), "client:go,transport:"};
  static constexpr ClientDialect kV4 = {32,
                                        true,
                                        true,
                                        false,
                                        8192,
                                        512,
                                        std::chrono::milliseconds(100),
                                        "client:go,client_version:4.8.3,client_transport:"};
  return release == Release::k1_15_3 ? kV4 : kV3;
}

}  // namespace spire_exporter::fakes
