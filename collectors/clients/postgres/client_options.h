// How the database is visited: the nodes, and the manners.
#ifndef COLLECTORS_CLIENTS_POSTGRES_CLIENT_OPTIONS_H_
#define COLLECTORS_CLIENTS_POSTGRES_CLIENT_OPTIONS_H_

#include <string>
#include <vector>

#include "exporter/base/clock.h"

namespace spire_exporter::pg {

// What the operator says a name leads to; whether it does is for a collector to tell.
enum class Expect { kAny, kPrimary, kStandby };

// One entry of `postgres.nodes`.
struct GroupOptions {
  std::string name;  // `rw`, `ro`: lower case letters, digits and dashes
  // A file with a connection string as libpq takes it, `key=value` or a URI. Read again at every
  // connect, as is the password file that it may name. Several hosts in it are several nodes.
  // Without `sslmode` it is `verify-full`.
  std::string conninfo_file;
  Expect expect = Expect::kAny;

  bool operator==(const GroupOptions&) const = default;
};

struct ClientOptions {
  std::vector<GroupOptions> groups;
  std::string application_name = "spire-exporter";
  Duration connect_timeout = std::chrono::seconds(3);
  // A statement that would wait longer for a lock gives up: nobody shall queue behind us for long.
  Duration lock_timeout = std::chrono::milliseconds(500);

  bool operator==(const ClientOptions&) const = default;
};

}  // namespace spire_exporter::pg

#endif  // COLLECTORS_CLIENTS_POSTGRES_CLIENT_OPTIONS_H_
