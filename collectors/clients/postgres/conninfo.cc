#include "collectors/clients/postgres/conninfo.h"

#include <fcntl.h>
#include <libpq-fe.h>

#include <cerrno>
#include <charconv>
#include <memory>
#include <optional>
#include <string_view>

#include "collectors/clients/postgres/libpq_late.h"
#include "exporter/base/text.h"
#include "exporter/base/unique_fd.h"

namespace spire_exporter::pg {
namespace {

constexpr size_t kFileMax = size_t{64} << 10;

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

Error Invalid(std::string what) {
  return {Code::kInvalidArgument, std::move(what), "", false};
}

Result<std::string> ReadFile(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) {
    return Error{Code::kNotFound, "connection file: " + ErrnoText(errno), path, true};
  }
  std::string text;
  char part[4096];
  for (;;) {
    const ssize_t got = read(fd.get(), part, sizeof(part));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error{Code::kNotFound, "connection file: " + ErrnoText(errno), path, true};
    if (got == 0) return text;
    text.append(part, static_cast<size_t>(got));
    if (text.size() > kFileMax) {
      return Error{Code::kInvalidArgument, "connection file: more than 64 KiB", path, false};
    }
  }
}

Result<uint16_t> ParsePort(std::string_view text) {
  if (text.empty()) return uint16_t{5432};
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) {
    return Invalid("its port is not a number from 1 to 65535");
  }
  return port;
}

// The comma-separated lists of libpq: as many addresses and ports as hosts, or one port for all.
Result<std::vector<Host>> MakeHosts(std::string_view hosts, std::string_view addresses,
                                    std::string_view ports) {
  const std::vector<std::string_view> names = Split(hosts, ',');
  const std::vector<std::string_view> literals = Split(addresses, ',');
  const std::vector<std::string_view> numbers = Split(ports, ',');
  const bool by_address = hosts.empty();
  const size_t count = by_address ? literals.size() : names.size();
  if (!by_address && !addresses.empty() && literals.size() != count) {
    return Invalid("it has not as many values of hostaddr as of host");
  }
  if (numbers.size() > 1 && numbers.size() != count) {
    return Invalid("it has not as many ports as hosts");
  }
  std::vector<Host> all;
  for (size_t i = 0; i < count; ++i) {
    Host one;
    if (!addresses.empty()) one.hostaddr = std::string(Trim(literals[i]));
    one.host = by_address ? one.hostaddr : std::string(Trim(names[i]));
    if (one.host.empty()) return Invalid("it names no host");
    Result<uint16_t> port = ParsePort(Trim(numbers.size() > 1 ? numbers[i] : ports));
    if (!port) return port.error();
    one.port = *port;
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace

const std::string& Conninfo::Find(std::string_view keyword) const {
  static const std::string none;
  for (const auto& [key, value] : parameters) {
    if (key == keyword) return value;
  }
  return none;
}

bool IsSocketDirectory(const std::string& host) {
  return !host.empty() && (host[0] == '/' || host[0] == '@');
}

Result<Conninfo> ParseConninfo(const std::string& text) {
  if (const Status loaded = LoadLibpq(); !loaded.ok()) return loaded.error();
  char* problem = nullptr;
  const std::unique_ptr<PQconninfoOption, FreeOptions> options(
      PQconninfoParse(text.c_str(), &problem));
  if (!options) {
    PQfreemem(problem);  // may repeat what stands in the file
    return Invalid(
        "not a connection string: expected `host=NAME dbname=NAME user=NAME ...` or "
        "`postgresql://...` with keywords that libpq knows");
  }
  Conninfo info;
  std::string host, hostaddr, port;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr || option->val[0] == '\0') continue;
    const std::string_view key = option->keyword;
    if (key == "host") {
      host = option->val;
    } else if (key == "hostaddr") {
      hostaddr = option->val;
    } else if (key == "port") {
      port = option->val;
    } else if (key == "service") {
      return Invalid("`service` is not read: write host, port and dbname into the file");
    } else if (key != "target_session_attrs" && key != "load_balance_hosts") {
      info.parameters.emplace_back(key, option->val);
    }
  }
  if (host.empty() && hostaddr.empty()) return Invalid("it names no host");
  Result<std::vector<Host>> hosts = MakeHosts(host, hostaddr, port);
  if (!hosts) return hosts.error();
  info.hosts = std::move(*hosts);
  return info;
}

Result<Conninfo> ReadConninfo(const std::string& path) {
  Result<std::string> text = ReadFile(path);
  if (!text) return text.error();
  Result<Conninfo> info = ParseConninfo(std::string(Trim(*text)));
  if (!info) {
    Error error = info.error();
    error.where = path;
    error.what = "connection file: " + error.what;
    return error;
  }
  return info;
}

}  // namespace spire_exporter::pg
