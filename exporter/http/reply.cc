#include "exporter/http/reply.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <utility>

namespace spire_exporter {
namespace {

// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 5.6.7), whatever the locale.
std::string DateText(SystemTime now) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const time_t seconds = std::chrono::system_clock::to_time_t(now);
  tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  std::snprintf(text, sizeof(text), "%s, %02d %s %d %02d:%02d:%02d GMT", kDays[parts.tm_wday],
                parts.tm_mday, kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour,
                parts.tm_min, parts.tm_sec);
  return text;
}

// What would end a field line early, and with it begin a line of somebody else's.
bool HasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < ' ' && byte != '\t') || byte == 0x7f;
  });
}

void AppendField(std::string_view name, std::string_view value, std::string* head) {
  if (name.empty() || HasControl(name) || HasControl(value)) return;
  head->append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::string_view StatusText(int status) {
  static constexpr std::pair<int, std::string_view> kTexts[] = {
      {200, "OK"},
      {202, "Accepted"},
      {204, "No Content"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {406, "Not Acceptable"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {411, "Length Required"},
      {413, "Content Too Large"},
      {414, "URI Too Long"},
      {417, "Expectation Failed"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
      {505, "HTTP Version Not Supported"},
  };
  for (const auto& [code, text] : kTexts) {
    if (code == status) return text;
  }
  return "Unknown";
}

Reply RenderReply(const HttpResponse& response, const ReplyContext& context) {
  Reply reply;
  reply.status = response.status;
  reply.keep_alive = context.keep_alive && !response.close;
  const size_t body_bytes = response.body ? response.body->size() : 0;
  std::string& head = reply.head;
  head.reserve(256);
  head = "HTTP/1.1 " + std::to_string(response.status) + " ";
  head.append(StatusText(response.status)).append("\r\n");
  AppendField("Content-Type", response.content_type, &head);
  AppendField("Content-Length", std::to_string(body_bytes), &head);
  AppendField("Date", DateText(context.now), &head);
  AppendField("X-Content-Type-Options", "nosniff", &head);
  for (const auto& [name, value] : response.headers) AppendField(name, value, &head);
  for (const auto& [name, value] : context.headers) {
    const auto same = [&name = name](const auto& own) { return own.first == name; };
    if (std::any_of(response.headers.begin(), response.headers.end(), same)) continue;
    AppendField(name, value, &head);
  }
  AppendField("Connection", reply.keep_alive ? "keep-alive" : "close", &head);
  head += "\r\n";
  if (!context.head_only) reply.body = response.body;
  return reply;
}

HttpResponse RefusalResponse(int status) {
  HttpResponse response = HttpResponse::Text(
      status, std::to_string(status) + " " + std::string(StatusText(status)) + "\n");
  if (status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

}  // namespace spire_exporter
