// Which route a request is for. Immutable, so safe from any thread.
#ifndef EXPORTER_HTTP_ROUTER_H_
#define EXPORTER_HTTP_ROUTER_H_

#include <string>
#include <string_view>
#include <vector>

#include "exporter/http/http_types.h"

namespace spire_exporter {

class Router {
 public:
  explicit Router(const std::vector<HttpRoute>& routes) : routes_(routes) {}

  struct Match {
    const HttpRoute* route = nullptr;  // null: refused
    int status = 0;                    // 404 or 405 when refused
    std::string allow;                 // for 405: the value of `Allow`
  };
  // `path` is decoded. On a probe listener only routes marked so exist.
  Match Find(std::string_view method, std::string_view path, bool probe_listener) const;

 private:
  const std::vector<HttpRoute>& routes_;
};

}  // namespace spire_exporter

#endif  // EXPORTER_HTTP_ROUTER_H_
