// Looks at what a gRPC server sends, and knows a message that is too long by its announcement. gRPC
// 1.51 holds the whole of one in memory before it refuses it, of whatever length. A compressed one
// is refused: 4 MiB of it may be 4 GiB.
#ifndef COLLECTORS_CLIENTS_SPIRE_MESSAGE_GUARD_H_
#define COLLECTORS_CLIENTS_SPIRE_MESSAGE_GUARD_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>

namespace spire_exporter::spire {

// Of one connection, used by one thread. Reads the frames of HTTP/2 (RFC 9113, sections 4 and 6)
// and gRPC's prefixes in them (PROTOCOL-HTTP2.md, Length-Prefixed-Message); copies nothing and
// holds at most kStreamsMax small states.
class MessageGuard {
 public:
  static constexpr size_t kStreamsMax = 64;            // in the middle of a message
  static constexpr size_t kHeaderBytesMax = 64 << 10;  // and of any frame but data

  explicit MessageGuard(size_t message_bytes_max) : message_bytes_max_(message_bytes_max) {}

  // The next bytes from the server. False when they announce more than may be or a compressed
  // message, or are no HTTP/2 from the first on; then nothing more may be passed on, nor be asked.
  bool Pass(std::string_view bytes);
  // Whether the first frame was one that a server begins with, so far as it is known.
  bool http2() const { return http2_; }

 private:
  struct Message {
    std::array<unsigned char, 5> prefix = {};  // compressed or not, and the length
    size_t prefix_bytes = 0;
    size_t left = 0;  // of the message, once its prefix is whole
  };

  bool BeginFrame();
  void EndFrame();
  // Bytes of messages, without padding.
  bool PassData(std::string_view bytes);

  const size_t message_bytes_max_;
  bool first_ = true;
  bool http2_ = true;
  std::array<unsigned char, 9> head_ = {};
  size_t head_bytes_ = 0;
  // Of the frame whose head is whole.
  uint8_t type_ = 0;
  uint8_t flags_ = 0;
  uint32_t stream_ = 0;
  size_t frame_left_ = 0;
  size_t padding_ = 0;
  bool padding_known_ = true;
  size_t header_block_ = 0;
  std::map<uint32_t, Message> messages_;  // by stream, those that are not whole yet
};

}  // namespace spire_exporter::spire

#endif  // COLLECTORS_CLIENTS_SPIRE_MESSAGE_GUARD_H_
