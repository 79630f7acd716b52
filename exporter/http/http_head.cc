#include "exporter/http/http_head.h"

#include <algorithm>
#include <optional>

namespace spire_exporter {
namespace {

// What a request line holds beside the target.
constexpr size_t kMaxMethodAndVersion = 64;
// Empty lines that a client may send ahead of a request (RFC 9112 2.2).
constexpr size_t kMaxLeadingBytes = 8;

bool IsToken(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos && c != '\0';
}

bool AllTokens(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsToken);
}

// Printable ASCII; what a target is made of.
bool IsVisible(char c) {
  return c > ' ' && c < '\x7f';
}

// Field values: everything but control characters; bytes above 127 are allowed (RFC 9110 5.5).
bool IsFieldByte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == '\t' || (byte >= ' ' && byte != 0x7f);
}

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return Lower(x) == Lower(y); });
}

std::string_view TrimBlanks(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Whether a comma-separated list holds a token.
bool ListHolds(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    if (EqualsIgnoringCase(TrimBlanks(list.substr(0, comma)), token)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

// Takes a line off the front of `text`, without its end.
std::string_view TakeLine(std::string_view* text) {
  const size_t end = std::min(text->find('\n'), text->size());
  std::string_view line = text->substr(0, end);
  text->remove_prefix(std::min(end + 1, text->size()));
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

std::optional<uint64_t> ParseLength(std::string_view text) {
  // Twelve digits are far above any limit and far below an overflow.
  if (text.empty() || text.size() > 12) return std::nullopt;
  uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<uint64_t>(c - '0');
  }
  return value;
}

// What the field lines add up to while they are read.
struct Fields {
  size_t count = 0;
  size_t hosts = 0;
  std::optional<uint64_t> length;
  bool chunked = false;
  bool close = false;
  bool keep_alive = false;
  bool expects_continue = false;
};

// Zero, or the status that refuses the line.
int ReadField(std::string_view line, Fields* fields) {
  const size_t colon = line.find(':');
  // A blank ahead of the name (an old way to continue a line) or of the colon is refused with it.
  if (colon == std::string_view::npos || !AllTokens(line.substr(0, colon))) return 400;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = TrimBlanks(line.substr(colon + 1));
  if (!std::all_of(value.begin(), value.end(), IsFieldByte)) return 400;
  ++fields->count;
  if (EqualsIgnoringCase(name, "Host")) {
    ++fields->hosts;
  } else if (EqualsIgnoringCase(name, "Content-Length")) {
    const std::optional<uint64_t> length = ParseLength(value);
    if (!length || (fields->length && *fields->length != *length)) return 400;
    fields->length = length;
  } else if (EqualsIgnoringCase(name, "Transfer-Encoding")) {
    fields->chunked = true;
  } else if (EqualsIgnoringCase(name, "Connection")) {
    fields->close = fields->close || ListHolds(value, "close");
    fields->keep_alive = fields->keep_alive || ListHolds(value, "keep-alive");
  } else if (EqualsIgnoringCase(name, "Expect")) {
    fields->expects_continue = EqualsIgnoringCase(value, "100-continue");
    if (!fields->expects_continue) return 417;
  }
  return 0;
}

// `http://host/path` means `/path`: a server is to take it (RFC 9112 3.2.2).
std::string_view OriginForm(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.size() < scheme.size() ||
        !EqualsIgnoringCase(target.substr(0, scheme.size()), scheme)) {
      continue;
    }
    const size_t path = target.find_first_of("/?", scheme.size());
    if (path == std::string_view::npos) return "/";
    return target[path] == '/' ? target.substr(path) : std::string_view();
  }
  return target;
}

int ReadRequestLine(std::string_view line, const HeadLimits& limits, HttpHead* head) {
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return 400;
  head->method = line.substr(0, first);
  head->target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!AllTokens(head->method) || head->target.empty() ||
      !std::all_of(head->target.begin(), head->target.end(), IsVisible)) {
    return 400;
  }
  if (version.size() != 8 || version.substr(0, 5) != "HTTP/" || version[6] != '.') return 400;
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return 505;
  head->http11 = version == "HTTP/1.1";
  if (head->target.size() > limits.target_bytes) return 414;
  head->target = OriginForm(head->target);
  if (head->target != "*" && (head->target.empty() || head->target.front() != '/')) return 400;
  if (std::min(head->target.find('?'), head->target.size()) > limits.path_bytes) return 414;
  return 0;
}

// Checks a whole head; zero, or the status that refuses it.
int ReadHead(std::string_view text, const HeadLimits& limits, HttpHead* head) {
  const int bad_line = ReadRequestLine(TakeLine(&text), limits, head);
  if (bad_line != 0) return bad_line;
  head->fields = text;
  Fields fields;
  for (std::string_view line = TakeLine(&text); !line.empty(); line = TakeLine(&text)) {
    const int bad_field = ReadField(line, &fields);
    if (bad_field != 0) return bad_field;
    if (fields.count > limits.fields) return 431;
  }
  // Without the empty line at the end.
  head->fields.remove_suffix(head->fields.size() - head->fields.find_last_not_of("\r\n") - 1);
  if (fields.hosts > 1 || (head->http11 && fields.hosts == 0)) return 400;
  // Both together is how requests are smuggled; alone we just do not take it.
  if (fields.chunked) return fields.length ? 400 : 411;
  head->body_bytes = fields.length.value_or(0);
  if (head->body_bytes > limits.body_bytes) return 413;
  head->keep_alive = !fields.close && (head->http11 || fields.keep_alive);
  head->expects_continue = head->http11 && fields.expects_continue && head->body_bytes > 0;
  return 0;
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = Lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// The byte that stands escaped at `at`, or -1.
int Escaped(std::string_view text, size_t at) {
  if (at + 2 >= text.size()) return -1;
  const int high = HexValue(text[at + 1]);
  const int low = HexValue(text[at + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

}  // namespace

FieldScan FindField(std::string_view fields, std::string_view name) {
  FieldScan found;
  while (!fields.empty()) {
    const std::string_view line = TakeLine(&fields);
    const size_t colon = std::min(line.find(':'), line.size());
    if (!EqualsIgnoringCase(line.substr(0, colon), name)) continue;
    if (++found.times == 1) found.value = TrimBlanks(line.substr(std::min(colon + 1, line.size())));
  }
  return found;
}

void HeadScanner::Reset() {
  begin_ = scanned_ = line_begin_ = request_line_bytes_ = 0;
  in_request_line_ = true;
}

bool HeadScanner::FindEnd(std::string_view received) {
  const size_t limit = std::min(received.size(), limits_.head_bytes + 1);
  while (scanned_ < limit) {
    const char c = received[scanned_++];
    if (c != '\n') continue;
    const std::string_view line = received.substr(line_begin_, scanned_ - 1 - line_begin_);
    const bool empty = line.empty() || line == "\r";
    line_begin_ = scanned_;
    if (!empty) {
      if (in_request_line_) request_line_bytes_ = line.size();
      in_request_line_ = false;
    } else if (in_request_line_) {
      begin_ = scanned_;
    } else {
      return true;
    }
  }
  return false;
}

// What can be said before the head is whole: the sooner garbage goes, the better.
int HeadScanner::EarlyRefusal(std::string_view received) const {
  if (begin_ > kMaxLeadingBytes) return 400;
  const std::string_view head = received.substr(begin_, scanned_ - begin_);
  if (!head.empty() && head.front() != '\r' && !IsToken(head.front())) return 400;
  const size_t line_bytes = in_request_line_ ? head.size() : request_line_bytes_;
  if (line_bytes > limits_.target_bytes + kMaxMethodAndVersion) return 414;
  return scanned_ > limits_.head_bytes ? 431 : 0;
}

HeadScan HeadScanner::Scan(std::string_view received) {
  HeadScan scan;
  const size_t before = scanned_;
  const bool whole = FindEnd(received);
  scan.status = EarlyRefusal(received);
  const std::string_view fresh = received.substr(before, scanned_ - before);
  if (scan.status == 0 && fresh.find('\0') != std::string_view::npos) scan.status = 400;
  if (scan.status == 0 && whole) {
    scan.status = ReadHead(received.substr(begin_, scanned_ - begin_), limits_, &scan.head);
    scan.head_bytes = scanned_;
  }
  if (scan.status != 0) {
    scan.state = HeadScan::State::kRefused;
  } else if (whole) {
    scan.state = HeadScan::State::kComplete;
  }
  return scan;
}

bool DecodePath(std::string_view target, std::string* path) {
  const std::string_view raw = target.substr(0, target.find('?'));
  path->clear();
  for (size_t i = 0; i < raw.size(); ++i) {
    int byte = static_cast<unsigned char>(raw[i]);
    if (raw[i] == '%') {
      byte = Escaped(raw, i);
      i += 2;
    }
    if (byte < ' ' || byte == 0x7f) return false;
    path->push_back(static_cast<char>(byte));
  }
  return true;
}

std::string DecodeQueryPart(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const int byte = text[i] == '%' ? Escaped(text, i) : -1;
    if (byte >= 0) {
      decoded.push_back(static_cast<char>(byte));
      i += 2;
    } else {
      decoded.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  return decoded;
}

}  // namespace spire_exporter
