#include "collectors/spire_config/log_tail.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "exporter/base/text.h"

namespace spire_exporter::spire_config {
namespace {

constexpr size_t kChunk = size_t{64} << 10;

Error FileError(const std::string& path, int number) {
  const Code code = number == ENOENT || number == ENOTDIR ? Code::kNotFound
                    : number == EACCES || number == EPERM ? Code::kPermissionDenied
                                                          : Code::kUnavailable;
  return Error{code, ErrnoText(number), path, true};
}

}  // namespace

void LogTail::Forget() {
  begun_.clear();
  dropping_ = false;
}

Status LogTail::Open() {
  UniqueFd file(open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.valid()) return FileError(path_, errno);
  struct stat status = {};
  if (fstat(file.get(), &status) != 0) return FileError(path_, errno);
  if (!S_ISREG(status.st_mode)) {
    return Error{Code::kFailedPrecondition, "not a regular file", path_, true};
  }
  Forget();
  at_ = 0;
  if (first_) {
    at_ = status.st_size;
    // Perhaps within a line, whose rest would be no line.
    char last = '\n';
    dropping_ = at_ > 0 && (pread(file.get(), &last, 1, at_ - 1) != 1 || last != '\n');
  }
  device_ = status.st_dev;
  inode_ = status.st_ino;
  replaced_ = false;
  file_ = std::move(file);
  return {};
}

Status LogTail::Look(const Deadline& deadline, const Clock& clock,
                     const std::function<void(std::string_view line)>& sink) {
  const bool first = first_;
  if (!file_.valid()) {
    const Status opened = Open();
    // That its name stood for nothing makes all of it news.
    if (opened.ok() || opened.error().code == Code::kNotFound) first_ = false;
    if (!opened.ok()) return opened;
    if (first) return {};
  }
  for (;;) {
    bool grown = false;
    if (const Status read = ReadOn(deadline, clock, sink, &grown); !read.ok()) {
      file_.Reset();
      first_ = true;  // rather lose lines than count them twice
      return read;
    }
    if (deadline.Passed(clock)) return {};
    struct stat now = {};
    if (stat(path_.c_str(), &now) != 0) {
      const int number = errno;
      replaced_ = false;  // perhaps between two renames
      return FileError(path_, number);
    }
    if (now.st_dev == device_ && now.st_ino == inode_) {
      replaced_ = false;
      return {};
    }
    if (!replaced_ || grown) {
      replaced_ = true;
      return {};
    }
    if (const Status opened = Open(); !opened.ok()) return opened;
    ++counts_.rotations;
  }
}

Status LogTail::ReadOn(const Deadline& deadline, const Clock& clock,
                       const std::function<void(std::string_view line)>& sink, bool* grown) {
  struct stat status = {};
  if (fstat(file_.get(), &status) != 0) return FileError(path_, errno);
  if (status.st_size < at_) {
    at_ = 0;
    Forget();
    ++counts_.rotations;
  }
  const off_t most = static_cast<off_t>(kLookMax);
  if (status.st_size - at_ > most) {
    counts_.skipped_bytes += static_cast<uint64_t>(status.st_size - at_ - most) + begun_.size();
    at_ = status.st_size - most;
    begun_.clear();
    dropping_ = true;
  }
  std::vector<char> chunk(kChunk);
  // Up to where it ended when this look began: a writer that is faster must not keep us.
  while (at_ < status.st_size && !deadline.Passed(clock)) {
    const auto want = std::min(static_cast<off_t>(chunk.size()), status.st_size - at_);
    const ssize_t got = pread(file_.get(), chunk.data(), static_cast<size_t>(want), at_);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FileError(path_, errno);
    if (got == 0) break;  // truncated this very moment
    at_ += got;
    *grown = true;
    Feed(std::string_view(chunk.data(), static_cast<size_t>(got)), sink);
  }
  return {};
}

void LogTail::Feed(std::string_view bytes, const std::function<void(std::string_view line)>& sink) {
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    const std::string_view part = bytes.substr(0, end);
    if (!dropping_ && begun_.size() + part.size() > kLineMax) {
      ++counts_.long_lines;
      begun_.clear();
      dropping_ = true;
    }
    if (end == std::string_view::npos) {
      if (!dropping_) begun_ += part;
      return;
    }
    if (!dropping_) {
      ++counts_.lines;
      if (begun_.empty()) {
        sink(part);
      } else {
        begun_ += part;
        sink(begun_);
      }
    }
    begun_.clear();
    dropping_ = false;
    bytes.remove_prefix(end + 1);
  }
}

}  // namespace spire_exporter::spire_config
