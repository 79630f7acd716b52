// Follows a log file that others write, rotate and truncate.
#ifndef COLLECTORS_SPIRE_CONFIG_LOG_TAIL_H_
#define COLLECTORS_SPIRE_CONFIG_LOG_TAIL_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "exporter/base/clock.h"
#include "exporter/base/result.h"
#include "exporter/base/unique_fd.h"

namespace spire_exporter::spire_config {

// Begins at the end of the file that it finds first: what was written before is nobody's news. A
// file that comes later is read from its beginning.
//
// Rotation by renaming: the old file is read until it has not grown for one whole look, as its
// writer goes on with it until it is told, then the new one from its beginning. By truncation
// (copytruncate): from the beginning again; what was written between the last look and the
// truncation is lost without a trace, and so is a truncation that the file has outgrown by the next
// look. Holds one line of at most kLineMax and reads at most kLookMax at a look. Not safe from
// several threads.
class LogTail {
 public:
  static constexpr size_t kLineMax = size_t{64} << 10;
  static constexpr size_t kLookMax = size_t{16} << 20;

  struct Counts {
    uint64_t lines = 0;          // handed out
    uint64_t long_lines = 0;     // longer than kLineMax, dropped
    uint64_t skipped_bytes = 0;  // that were passed over because more came than one look reads
    uint64_t rotations = 0;      // files after the first, and truncations
  };

  explicit LogTail(std::string path) : path_(std::move(path)) {}

  // Hands out every whole line that has come, without its end; stops early at the deadline and goes
  // on there the next time. kNotFound, kPermissionDenied, kFailedPrecondition (no regular file),
  // kUnavailable: the file cannot be read now; the next look tries again.
  Status Look(const Deadline& deadline, const Clock& clock,
              const std::function<void(std::string_view line)>& sink);

  const Counts& counts() const { return counts_; }

 private:
  Status Open();
  Status ReadOn(const Deadline& deadline, const Clock& clock,
                const std::function<void(std::string_view line)>& sink, bool* grown);
  void Feed(std::string_view bytes, const std::function<void(std::string_view line)>& sink);
  void Forget();  // the line that has begun

  const std::string path_;
  UniqueFd file_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  off_t at_ = 0;
  bool first_ = true;      // no look has been made yet
  bool replaced_ = false;  // another file has the name since the last look
  bool dropping_ = false;  // up to the end of a line that is too long, or that began in the skipped
  std::string begun_;      // a line without its end
  Counts counts_;
};

}  // namespace spire_exporter::spire_config

#endif  // COLLECTORS_SPIRE_CONFIG_LOG_TAIL_H_
