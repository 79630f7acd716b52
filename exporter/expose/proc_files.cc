#include "exporter/expose/proc_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <limits>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/base/text.h"
#include "exporter/base/unique_fd.h"

namespace spire_exporter {
namespace {

// Files of the kernel have no size to ask for. On a machine of many interrupts /proc/stat takes a
// hundred KiB or so.
std::optional<std::string> ReadFile(const std::string& path) {
  constexpr size_t kMost = size_t{4} << 20;
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return std::nullopt;
  std::string text;
  size_t used = 0;
  for (;;) {
    if (used == text.size()) {
      if (used >= kMost) return std::nullopt;
      text.resize(used + 4096);
    }
    const ssize_t got = read(fd.get(), text.data() + used, text.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    used += static_cast<size_t>(got);
  }
  text.resize(used);
  return text;
}

std::optional<double> Number(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return static_cast<double>(number);
}

// The line `btime 1700000000` of /proc/stat.
std::optional<double> BootTime(const std::string& root) {
  const auto text = ReadFile(root + "/stat");
  if (!text) return std::nullopt;
  constexpr std::string_view kKey = "btime ";
  for (const std::string_view line : Split(*text, '\n')) {
    if (line.substr(0, kKey.size()) == kKey) return Number(line.substr(kKey.size()));
  }
  return std::nullopt;
}

struct CloseDir {
  void operator()(DIR* dir) const { closedir(dir); }
};

std::optional<double> CountOpenFds(const std::string& path) {
  const std::unique_ptr<DIR, CloseDir> dir(opendir(path.c_str()));
  if (dir == nullptr) return std::nullopt;
  double count = 0;
  while (const dirent* entry = readdir(dir.get())) {  // NOLINT: a stream of our own
    if (entry->d_name[0] != '.') ++count;
  }
  return count - 1;  // the one that reads the directory
}

std::optional<double> MaxFds() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::nullopt;
  if (limit.rlim_cur == RLIM_INFINITY) return std::numeric_limits<double>::infinity();
  return static_cast<double>(limit.rlim_cur);
}

// proc(5), /proc/pid/stat: fields after the command, which may itself hold blanks and parentheses;
// the first of them is number 3.
void ReadStat(std::string_view text, std::optional<double> boot_time, ProcessFigures& figures) {
  const size_t command_end = text.rfind(") ");
  if (command_end == std::string_view::npos) return;
  const std::vector<std::string_view> fields = Split(text.substr(command_end + 2), ' ');
  const auto field = [&](size_t number) {
    return number - 3 < fields.size() ? Number(Trim(fields[number - 3])) : std::nullopt;
  };
  const double ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  const double page = static_cast<double>(sysconf(_SC_PAGESIZE));
  const auto user = field(14);
  const auto system = field(15);
  const auto start = field(22);
  const auto resident = field(24);
  if (user && system) figures.cpu_seconds = (*user + *system) / ticks;
  figures.threads = field(20);
  if (start && boot_time) figures.start_time_seconds = *boot_time + *start / ticks;
  figures.virtual_bytes = field(23);
  if (resident) figures.resident_bytes = *resident * page;
}

}  // namespace

ProcFiles::ProcFiles(std::string proc_root)
    : root_(std::move(proc_root)), boot_time_(BootTime(root_)) {}

ProcessFigures ProcFiles::Read() const {
  ProcessFigures figures;
  if (const auto stat = ReadFile(root_ + "/self/stat")) ReadStat(*stat, boot_time_, figures);
  figures.open_fds = CountOpenFds(root_ + "/self/fd");
  figures.max_fds = MaxFds();
  return figures;
}

}  // namespace spire_exporter
