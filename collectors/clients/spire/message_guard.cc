#include "collectors/clients/spire/message_guard.h"

#include <algorithm>

namespace spire_exporter::spire {
namespace {

constexpr uint8_t kData = 0, kHeaders = 1, kReset = 3, kSettings = 4, kContinuation = 9;
constexpr uint8_t kEndStream = 1, kPadded = 8;

uint32_t Number(const unsigned char* at, size_t bytes) {
  uint32_t number = 0;
  for (size_t i = 0; i < bytes; ++i) number = number << 8 | at[i];
  return number;
}

}  // namespace

bool MessageGuard::BeginFrame() {
  head_bytes_ = 0;
  frame_left_ = Number(head_.data(), 3);
  type_ = head_[3];
  flags_ = head_[4];
  stream_ = Number(head_.data() + 5, 4) & 0x7fff'ffffU;
  padding_ = 0;
  padding_known_ = type_ != kData || (flags_ & kPadded) == 0;
  if (first_) {
    first_ = false;
    http2_ = type_ == kSettings && stream_ == 0;
    if (!http2_) return false;
  }
  if (type_ == kData) return true;  // bounded by its messages
  if (type_ == kHeaders) header_block_ = 0;
  if (type_ == kHeaders || type_ == kContinuation) header_block_ += frame_left_;
  return frame_left_ <= kHeaderBytesMax && header_block_ <= kHeaderBytesMax;
}

void MessageGuard::EndFrame() {
  const bool ends = (type_ == kData || type_ == kHeaders) && (flags_ & kEndStream) != 0;
  if (ends || type_ == kReset) messages_.erase(stream_);
}

bool MessageGuard::PassData(std::string_view bytes) {
  while (!bytes.empty()) {
    Message& message = messages_[stream_];
    if (message.prefix_bytes < message.prefix.size()) {
      message.prefix[message.prefix_bytes++] = static_cast<unsigned char>(bytes.front());
      bytes.remove_prefix(1);
      if (message.prefix_bytes < message.prefix.size()) continue;
      message.left = Number(message.prefix.data() + 1, 4);
      // What is packed has no size that could be told by its announcement.
      const bool packed = message.prefix[0] != 0;
      if (packed || message.left > message_bytes_max_) return false;
    }
    const size_t part = std::min(bytes.size(), message.left);
    message.left -= part;
    bytes.remove_prefix(part);
    if (message.left == 0) messages_.erase(stream_);
  }
  return messages_.size() <= kStreamsMax;
}

bool MessageGuard::Pass(std::string_view bytes) {
  while (!bytes.empty()) {
    if (frame_left_ == 0) {
      head_[head_bytes_++] = static_cast<unsigned char>(bytes.front());
      bytes.remove_prefix(1);
      if (head_bytes_ < head_.size()) continue;
      if (!BeginFrame()) return false;
      if (frame_left_ == 0) EndFrame();
      continue;
    }
    if (!padding_known_) {
      padding_known_ = true;
      padding_ = static_cast<unsigned char>(bytes.front());
      bytes.remove_prefix(1);
      --frame_left_;
      if (padding_ > frame_left_) return false;  // an error of the protocol
      if (frame_left_ == 0) EndFrame();
      continue;
    }
    const size_t part = std::min(bytes.size(), frame_left_);
    if (type_ == kData) {
      const size_t data = frame_left_ > padding_ ? frame_left_ - padding_ : 0;
      if (!PassData(bytes.substr(0, std::min(part, data)))) return false;
    }
    frame_left_ -= part;
    bytes.remove_prefix(part);
    if (frame_left_ == 0) EndFrame();
  }
  return true;
}

}  // namespace spire_exporter::spire
