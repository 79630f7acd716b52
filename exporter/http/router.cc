#include "exporter/http/router.h"

namespace spire_exporter {

Router::Match Router::Find(std::string_view method, std::string_view path,
                           bool probe_listener) const {
  Match match;
  match.status = 404;
  for (const HttpRoute& route : routes_) {
    if (route.path != path || (probe_listener && !route.probe)) continue;
    for (const std::string& allowed : route.methods) {
      if (method == allowed || (method == "HEAD" && allowed == "GET")) {
        match.route = &route;
        return match;
      }
      if (!match.allow.empty()) match.allow += ", ";
      match.allow += allowed == "GET" ? "GET, HEAD" : allowed;
    }
    match.status = 405;
    return match;
  }
  return match;
}

}  // namespace spire_exporter
