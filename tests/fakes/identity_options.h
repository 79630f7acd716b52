// What a simulated server or agent needs to have true identities.
#ifndef TESTS_FAKES_IDENTITY_OPTIONS_H_
#define TESTS_FAKES_IDENTITY_OPTIONS_H_

#include <string>
#include <vector>

#include "exporter/base/clock.h"

namespace spire_exporter::fakes {

struct IdentityOptions {
  std::string folder;  // that all of a lab share; empty: no identities
  std::string name = "spire";
  std::string trust_domain = "example.org";
  std::string expiries;  // a file; empty: none
  Duration jwt_ttl = std::chrono::minutes(2);
  // Of a server.
  std::string listen;
  // Of an agent.
  std::vector<std::string> servers;
  bool join_token = false;  // else x509pop
  std::string bootstrap_bundle;
  std::string state;
  std::vector<std::string> entries;  // served to whoever calls
  std::string workload_socket;
  std::string admin_socket;
};

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_IDENTITY_OPTIONS_H_
