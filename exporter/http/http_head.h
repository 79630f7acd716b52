// Finds the end of a request head in bytes as they come and checks it. Strict where leniency hides
// attacks (RFC 9112 3, 5, 6), and bounded: every limit is met with a status before more is kept.
#ifndef EXPORTER_HTTP_HTTP_HEAD_H_
#define EXPORTER_HTTP_HTTP_HEAD_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace spire_exporter {

struct HeadLimits {
  size_t head_bytes = 16 * 1024;    // all of the head; more: 431
  size_t target_bytes = 8 * 1024;   // path and query; more: 414
  size_t path_bytes = 1024;         // more: 414
  size_t fields = 60;               // below the 64 that civetweb keeps; more: 431
  uint64_t body_bytes = 64 * 1024;  // more: 413
};

// What the door needs of a request. The views point into the bytes that were scanned.
struct HttpHead {
  std::string_view method;
  std::string_view target;  // in origin form: path, then perhaps `?` and the query; or `*`
  std::string_view fields;  // the field lines, the last line end included
  bool http11 = false;
  bool keep_alive = false;        // what the client asks for
  bool expects_continue = false;  // waits for `100 Continue` before it sends the body
  uint64_t body_bytes = 0;
};

struct HeadScan {
  enum class State { kIncomplete, kComplete, kRefused };
  State state = State::kIncomplete;
  int status = 0;         // kRefused: the status to answer with before closing
  size_t head_bytes = 0;  // kComplete: where the body begins
  HttpHead head;          // kComplete
};

// The value of a field in field lines as HttpHead has them, of the first if there are several; how
// many there are.
struct FieldScan {
  std::string_view value;
  size_t times = 0;
};
FieldScan FindField(std::string_view fields, std::string_view name);

// One request head. Not safe from several threads. Bytes are looked at once, however small the
// pieces in which they come.
class HeadScanner {
 public:
  explicit HeadScanner(const HeadLimits& limits) : limits_(limits) {}

  // `received` is everything since the start of this head; it may hold more than the head.
  HeadScan Scan(std::string_view received);
  // For the next head.
  void Reset();

 private:
  // Looks for the empty line. True when it ends at scanned_.
  bool FindEnd(std::string_view received);
  int EarlyRefusal(std::string_view received) const;

  HeadLimits limits_;
  size_t begin_ = 0;               // of the request line, behind empty lines
  size_t scanned_ = 0;             // bytes looked at
  size_t line_begin_ = 0;          // of the line that scanned_ is in
  size_t request_line_bytes_ = 0;  // once it is whole
  bool in_request_line_ = true;
};

// The path of a target, percent-decoded once. False if an escape is broken or decodes to a control
// character.
bool DecodePath(std::string_view target, std::string* path);

// Decodes `a=1&b=two+words`; broken escapes stay as they are.
std::string DecodeQueryPart(std::string_view text);

}  // namespace spire_exporter

#endif  // EXPORTER_HTTP_HTTP_HEAD_H_
