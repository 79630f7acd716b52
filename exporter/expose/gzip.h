// Gzip for bodies that are whole in memory.
#ifndef EXPORTER_EXPOSE_GZIP_H_
#define EXPORTER_EXPOSE_GZIP_H_

#include <string>
#include <string_view>

#include "exporter/base/mutex.h"
#include "exporter/base/result.h"

namespace spire_exporter {

// One compressor at a time: some hundred KiB while a body is made smaller, however many bodies and
// threads there are, and none between. Safe from any thread; callers take turns, which costs less
// than the memory of a compressor each.
class Gzip {
 public:
  // The body as one gzip member (RFC 1952), the same bytes for the same body. Needs about the
  // body's size besides. Fails only for lack of memory, with kResourceExhausted: then the body can
  // go as it is.
  Result<std::string> Compress(std::string_view body) EXCLUDES(mutex_);

 private:
  Mutex mutex_;
};

// The other way, for bodies that others sent. Fails with kInvalidArgument when it is not one whole
// gzip member, and with kResourceExhausted when it would be longer than `most`.
Result<std::string> Gunzip(std::string_view compressed, size_t most);

}  // namespace spire_exporter

#endif  // EXPORTER_EXPOSE_GZIP_H_
