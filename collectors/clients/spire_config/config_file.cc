#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "collectors/clients/spire_config/config_tree.h"
#include "exporter/base/text.h"
#include "exporter/base/unique_fd.h"

namespace spire_exporter::spire_config {
namespace {

Error FileError(const std::string& path, int number) {
  const Code code = number == ENOENT || number == ENOTDIR ? Code::kNotFound
                    : number == EACCES || number == EPERM ? Code::kPermissionDenied
                                                          : Code::kUnavailable;
  return Error{code, ErrnoText(number), path, true};
}

// Wipes what was read, on every way out.
class Bytes {
 public:
  explicit Bytes(size_t room) : text_(room, '\0') {}
  ~Bytes() { explicit_bzero(text_.data(), size_); }
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;

  char* free() { return text_.data() + size_; }
  size_t room() const { return text_.size() - size_; }
  void Grow(size_t by) { size_ += by; }
  std::string_view view() const { return std::string_view(text_).substr(0, size_); }

 private:
  std::string text_;
  size_t size_ = 0;
};

}  // namespace

Result<Node> ReadConfigTree(const std::string& path, std::span<const KeepRule> rules) {
  // Non-blocking, or a pipe of that name would hold us.
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.valid()) return FileError(path, errno);
  struct stat status = {};
  if (fstat(file.get(), &status) != 0) return FileError(path, errno);
  if (!S_ISREG(status.st_mode)) {
    return Error{Code::kFailedPrecondition, "not a regular file", path};
  }
  // With room to see that it is too large, or that it grows while it is read.
  const size_t room = std::min(static_cast<size_t>(status.st_size), kMaxConfigBytes) + 1;
  Bytes bytes(room);
  while (bytes.room() > 0) {
    const ssize_t got = read(file.get(), bytes.free(), bytes.room());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FileError(path, errno);
    if (got == 0) break;
    bytes.Grow(static_cast<size_t>(got));
  }
  if (bytes.room() == 0 && room <= kMaxConfigBytes) {
    return Error{Code::kUnavailable, "changed while it was read", path, true};
  }
  return ParseConfigTree(bytes.view(), path, rules);
}

}  // namespace spire_exporter::spire_config
