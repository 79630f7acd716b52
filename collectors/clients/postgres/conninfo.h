// A connection string from its file: which servers it names, and what else it says.
#ifndef COLLECTORS_CLIENTS_POSTGRES_CONNINFO_H_
#define COLLECTORS_CLIENTS_POSTGRES_CONNINFO_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "exporter/base/result.h"

namespace spire_exporter::pg {

// One server of a connection string. `host` is a name, an address or the directory of a socket;
// `hostaddr` is empty unless the string gives it.
struct Host {
  std::string host;
  std::string hostaddr;
  uint16_t port = 5432;
};

struct Conninfo {
  std::vector<Host> hosts;
  // Keywords and values without those of `hosts` and without target_session_attrs, since each
  // server is visited for itself.
  std::vector<std::pair<std::string, std::string>> parameters;

  // The value of a keyword, or empty.
  const std::string& Find(std::string_view keyword) const;
};

// Whether a host is the directory of a unix socket.
bool IsSocketDirectory(const std::string& host);

// `text` as libpq takes it. No error repeats a part of it, which could be a password.
Result<Conninfo> ParseConninfo(const std::string& text);
// The same from a file of at most 64 KiB. Errors name the file.
Result<Conninfo> ReadConninfo(const std::string& path);

}  // namespace spire_exporter::pg

#endif  // COLLECTORS_CLIENTS_POSTGRES_CONNINFO_H_
