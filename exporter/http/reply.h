// A response as bytes: the head rendered, the body shared.
#ifndef EXPORTER_HTTP_REPLY_H_
#define EXPORTER_HTTP_REPLY_H_

#include <memory>
#include <string>
#include <string_view>

#include "exporter/base/clock.h"
#include "exporter/http/http_types.h"

namespace spire_exporter {

struct Reply {
  std::string head;                         // status line to empty line
  std::shared_ptr<const std::string> body;  // null: none is sent
  int status = 0;
  bool keep_alive = false;
  uint64_t body_bytes() const { return body ? body->size() : 0; }
};

struct ReplyContext {
  bool keep_alive = false;  // what the client asked for
  bool head_only = false;   // HEAD: the head of the GET, no body
  SystemTime now;           // for Date
  HttpFields headers;       // in every response, but for those that the response has itself
};

Reply RenderReply(const HttpResponse& response, const ReplyContext& context);

// A refusal with a fixed text; nothing of the request is in it. 503 says when to come again.
HttpResponse RefusalResponse(int status);

// `Not Found`; `Unknown` for a status we have no words for.
std::string_view StatusText(int status);

}  // namespace spire_exporter

#endif  // EXPORTER_HTTP_REPLY_H_
