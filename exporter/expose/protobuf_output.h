// Writes protobuf from the back to the front: when the tag and length of a message are due, its
// bytes stand already, so that nothing is measured beforehand. (Protocol Buffers, "Encoding".)
#ifndef EXPORTER_EXPOSE_PROTOBUF_OUTPUT_H_
#define EXPORTER_EXPOSE_PROTOBUF_OUTPUT_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace spire_exporter {

// Fields come last first. Every Put needs room that Reserve() has made. Not safe from several
// threads.
class BackwardOutput {
 public:
  // Room for at least `bytes` more in front of what stands. May move what stands.
  void Reserve(size_t bytes) {
    if (left_ < bytes) Grow(bytes);
  }
  // Bytes written so far: the difference of two is the length of a message between them.
  size_t size() const { return capacity_ - left_; }
  std::string_view written() const { return {buffer_.get() + left_, size()}; }
  // Forgets what was written and keeps the memory.
  void Clear() { left_ = capacity_; }

  void PutByte(uint8_t byte) { buffer_[--left_] = static_cast<char>(byte); }
  void PutBytes(std::string_view bytes) {
    left_ -= bytes.size();
    std::memcpy(buffer_.get() + left_, bytes.data(), bytes.size());
  }
  void PutVarint(uint64_t value) {
    if (value < 0x80) {
      PutByte(static_cast<uint8_t>(value));
      return;
    }
    const size_t bytes = (static_cast<size_t>(std::bit_width(value)) + 6) / 7;
    left_ -= bytes;
    char* at = buffer_.get() + left_;
    for (; value >= 0x80; value >>= 7) *at++ = static_cast<char>((value & 0x7f) | 0x80);
    *at = static_cast<char>(value);
  }
  void PutDouble(double value) {
    static_assert(std::endian::native == std::endian::little);
    left_ -= sizeof(value);
    std::memcpy(buffer_.get() + left_, &value, sizeof(value));
  }

  // Whole fields; numbers up to 15, whose tag is one byte, but for those named so.
  void VarintField(uint32_t number, uint64_t value) {
    PutVarint(value);
    PutByte(static_cast<uint8_t>(number << 3));
  }
  void SignedField(uint32_t number, int64_t value) {
    // Zigzag: small magnitudes of both signs are small numbers.
    VarintField(number, (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63));
  }
  void DoubleField(uint32_t number, double value) {
    PutDouble(value);
    PutByte(static_cast<uint8_t>((number << 3) | 1));
  }
  void StringField(uint32_t number, std::string_view text) {
    PutBytes(text);
    PutVarint(text.size());
    PutByte(static_cast<uint8_t>((number << 3) | 2));
  }
  // The head of a message whose fields were written since size() was `end`.
  void MessageField(uint32_t number, size_t end) {
    PutVarint(size() - end);
    PutByte(static_cast<uint8_t>((number << 3) | 2));
  }

 private:
  void Grow(size_t bytes);

  std::unique_ptr<char[]> buffer_;
  size_t capacity_ = 0;
  size_t left_ = 0;  // free bytes in front
};

}  // namespace spire_exporter

#endif  // EXPORTER_EXPOSE_PROTOBUF_OUTPUT_H_
