// Who may come in: asked by the door for every request that is not a probe's, before a worker sees
// it.
#ifndef EXPORTER_HTTP_GATE_H_
#define EXPORTER_HTTP_GATE_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "exporter/http/http_types.h"
#include "exporter/tls/peer_certificate.h"

namespace spire_exporter {

class HttpGate {
 public:
  // What is known of who asks. The views live as long as the call.
  struct Visitor {
    std::string_view peer;                         // what counts as one address
    std::string_view authorization;                // the header's value, empty when there is none
    bool repeated_authorization = false;           // there were several of these headers
    const PeerCertificate* certificate = nullptr;  // null without TLS or without one
    uint64_t connection = 0;                       // to be named by TakeReady()
    bool first_time = true;                        // false when the same request is judged again
  };
  struct Verdict {
    enum class Kind { kAdmit, kRefuse, kLater };
    Kind kind = Kind::kAdmit;
    HttpResponse response;  // kRefuse
  };

  virtual ~HttpGate() = default;

  // From the door's thread, so it takes microseconds. kLater: the connection waits, and is judged
  // again once TakeReady() has named it.
  virtual Verdict Judge(const Visitor& visitor) = 0;
  // Readable when TakeReady() has something to say.
  virtual int ready_fd() const = 0;
  virtual std::vector<uint64_t> TakeReady() = 0;
  // What stands in every response, but for fields that the response has itself. From any thread.
  virtual HttpFields Headers() const = 0;
};

}  // namespace spire_exporter

#endif  // EXPORTER_HTTP_GATE_H_
