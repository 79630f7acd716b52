#include "exporter/expose/protobuf_output.h"

#include <algorithm>

namespace spire_exporter {

void BackwardOutput::Grow(size_t bytes) {
  constexpr size_t kLeast = 4096;
  const size_t used = size();
  const size_t capacity = std::max({kLeast, 2 * capacity_, used + bytes});
  std::unique_ptr<char[]> buffer(new char[capacity]);  // not zeroed
  if (used != 0) std::memcpy(buffer.get() + capacity - used, buffer_.get() + left_, used);
  buffer_ = std::move(buffer);
  left_ = capacity - used;
  capacity_ = capacity;
}

}  // namespace spire_exporter
