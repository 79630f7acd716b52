// Appends to a std::string through a bare pointer: room is asked for once a line, not once a byte.
#ifndef EXPORTER_EXPOSE_OUTPUT_H_
#define EXPORTER_EXPOSE_OUTPUT_H_

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace spire_exporter {

// The string holds bytes beyond the text while an Output lives, and just the text once it is gone.
// Not safe from several threads.
class Output {
 public:
  // `expected`: about how much will come; more costs a copy.
  Output(std::string& text, size_t expected) : text_(text), used_(text.size()) {
    text_.reserve(used_ + expected);
  }
  ~Output() { text_.resize(used_); }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // Where the next `most` bytes may be written. Valid until the next call of Room().
  char* Room(size_t most) {
    if (text_.size() - used_ < most) Extend(most);
    return text_.data() + used_;
  }
  // What was written since Room() ends here.
  void Took(const char* end) { used_ = static_cast<size_t>(end - text_.data()); }

  void Append(std::string_view text) { Took(Put(Room(text.size()), text)); }

  static char* Put(char* at, std::string_view text) {
    std::memcpy(at, text.data(), text.size());
    return at + text.size();
  }

 private:
  // A string cannot grow without being zeroed. Bit by bit, so that the zeros are still in the cache
  // when they are written over.
  void Extend(size_t most) {
    constexpr size_t kStep = 2048;
    text_.resize(std::max(text_.size() + kStep, used_ + most));
  }

  std::string& text_;
  size_t used_;
};

// Copies in whole blocks, whose number is known sooner than that of bytes: behind both texts there
// must be kBlock bytes more, to be read and to be written.
inline constexpr size_t kBlock = 32;
inline char* PutBlocks(char* at, const char* from, size_t size) {
  for (size_t done = 0; done < size; done += kBlock) std::memcpy(at + done, from + done, kBlock);
  return at + size;
}

// A text that is put many times over, with the slack that PutBlocks() needs behind it.
class BlockText {
 public:
  static constexpr size_t kSlack = kBlock;

  // Takes the parts one after the other.
  template <typename... Parts>
  void Set(const Parts&... parts) {
    text_.clear();
    (text_.append(std::string_view(parts)), ...);
    size_ = text_.size();
    text_.append(kSlack, '\0');
  }

  size_t size() const { return size_; }

  char* Put(char* at) const { return PutBlocks(at, text_.data(), size_); }

 private:
  std::string text_;
  size_t size_ = 0;
};

}  // namespace spire_exporter

#endif  // EXPORTER_EXPOSE_OUTPUT_H_
