#include "collectors/telemetry/listen_check.h"

#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "exporter/base/text.h"
#include "exporter/base/unique_fd.h"

namespace spire_exporter::telemetry {
namespace {

namespace fs = std::filesystem;

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

uint16_t PortOf(const ListenAddress& address) {
  uint16_t port = 0;
  // sin_port and sin6_port are at the same place (RFC 3493, section 3.10).
  std::memcpy(&port,
              reinterpret_cast<const char*>(&address.storage) + offsetof(sockaddr_in, sin_port),
              sizeof(port));
  return ntohs(port);
}

// The `socket:[inode]` links of the sockets that are bound at the address (proc(5)).
std::vector<std::string> SocketsAt(const ListenAddress& address) {
  const bool v6 = address.storage.ss_family == AF_INET6;
  std::ifstream table(address.is_unix() ? "/proc/net/unix"
                      : v6              ? "/proc/net/udp6"
                                        : "/proc/net/udp");
  std::array<char, 8> port{};
  std::snprintf(port.data(), port.size(), ":%04X", static_cast<unsigned>(PortOf(address)));
  std::vector<std::string> links;
  std::string line;
  while (std::getline(table, line)) {
    std::istringstream words(line);
    std::vector<std::string> fields;
    for (std::string word; words >> word;) fields.push_back(word);
    if (address.is_unix()) {
      if (fields.size() == 8 && fields[7] == address.path) {
        links.push_back("socket:[" + fields[6] + "]");
      }
    } else if (fields.size() > 9 && fields[1].ends_with(port.data())) {
      links.push_back("socket:[" + fields[9] + "]");
    }
  }
  return links;
}

// Whether another process of this program has one of the sockets.
bool OwnedByThisProgram(const std::vector<std::string>& links) {
  std::error_code problem;
  const fs::path self = fs::read_symlink("/proc/self/exe", problem);
  if (problem || links.empty()) return false;
  for (const fs::directory_entry& process : fs::directory_iterator("/proc", problem)) {
    if (fs::read_symlink(process.path() / "exe", problem) != self || problem) continue;
    for (const fs::directory_entry& file : fs::directory_iterator(process.path() / "fd", problem)) {
      const std::string target = fs::read_symlink(file.path(), problem).string();
      for (const std::string& link : links) {
        if (target == link) return true;
      }
    }
  }
  return false;
}

void Taken(const ListenAddress& address, CheckLine* line) {
  if (OwnedByThisProgram(SocketsAt(address))) {
    line->good = true;
    line->detail = "the running exporter listens there";
    return;
  }
  line->detail = "another process listens there";
  line->remedy = "stop it, or change telemetry.stream.listen";
}

void CheckUnix(const ListenAddress& address, CheckLine* line) {
  const std::string directory = DirectoryOf(address.path);
  struct stat there = {};
  if (::stat(directory.c_str(), &there) != 0) {
    line->detail = "no directory " + directory + ": " + ErrnoText(errno);
    line->remedy = "mkdir -p " + directory;
    return;
  }
  if (::access(directory.c_str(), W_OK | X_OK) != 0) {
    line->detail = "cannot make a file in " + directory + ": " + ErrnoText(errno);
    line->remedy = "let user " + std::to_string(::geteuid()) + " write to " + directory;
    return;
  }
  if (::lstat(address.path.c_str(), &there) != 0) {
    line->good = true;
    line->detail = "can be listened on";
    return;
  }
  if (!S_ISSOCK(there.st_mode)) {
    line->detail = "there is a file that is not a socket";
    line->remedy = "rm " + address.path;
    return;
  }
  const UniqueFd probe(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (::connect(probe.get(), AsSockaddr(address), address.size) != 0 && errno == ECONNREFUSED) {
    line->good = true;
    line->detail = "a stale socket file, which will be taken over";
    return;
  }
  Taken(address, line);
}

void CheckUdp(const ListenAddress& address, CheckLine* line) {
  const UniqueFd probe(::socket(address.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (address.storage.ss_family == AF_INET6) {
    const int only = 1;
    (void)::setsockopt(probe.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
  }
  if (::bind(probe.get(), AsSockaddr(address), address.size) == 0) {
    line->good = true;
    line->detail = "can be listened on";
    return;
  }
  if (errno == EADDRINUSE) {
    Taken(address, line);
    return;
  }
  line->detail = "cannot listen: " + ErrnoText(errno);
  line->remedy = errno == EACCES ? "use a port above 1023"
                                 : "change telemetry.stream.listen to an address of this machine";
}

}  // namespace

CheckLine CheckListen(const ListenAddress& address) {
  CheckLine line;
  line.subject = "telemetry stream " + address.text;
  try {
    if (address.is_unix()) {
      CheckUnix(address, &line);
    } else {
      CheckUdp(address, &line);
    }
  } catch (const fs::filesystem_error& error) {
    // /proc changed while it was read.
    line.detail = std::string("cannot tell who listens there: ") + error.what();
    line.remedy = "try again";
  }
  return line;
}

}  // namespace spire_exporter::telemetry
