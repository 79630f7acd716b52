// The workers' side: runs the handler of a request and leaves the rendered answer for the door.
#ifndef EXPORTER_HTTP_DISPATCHER_H_
#define EXPORTER_HTTP_DISPATCHER_H_

#include <cstdint>
#include <string_view>

#include "exporter/base/clock.h"
#include "exporter/base/logger.h"
#include "exporter/http/civetweb_engine.h"
#include "exporter/http/gate.h"
#include "exporter/http/handoff.h"
#include "exporter/http/http_types.h"

namespace spire_exporter {

// Safe from several threads.
class Dispatcher final : public CivetwebEngine::Sink {
 public:
  // `observer` and `gate`, which knows the headers of every response, may be null.
  Dispatcher(Handoff& handoff, const Clock& clock, Logger& logger, HttpObserver* observer,
             const HttpGate* gate)
      : handoff_(handoff), clock_(clock), logger_(logger), observer_(observer), gate_(gate) {}

  void OnRequest(uint16_t place, HttpFields fields) override;
  void OnBroken(uint16_t place) override;

  // A refusal that reaches no handler, rendered and counted. Also called by the door.
  Reply Refuse(const HttpResponse& response, bool keep_alive, bool head_only);

 private:
  HttpResponse Run(const Ticket& ticket, HttpFields fields);
  Reply Render(const HttpResponse& response, bool keep_alive, bool head_only) const;
  void Record(std::string_view label, const Reply& reply, Duration duration);

  Handoff& handoff_;
  const Clock& clock_;
  Logger& logger_;
  HttpObserver* const observer_;
  const HttpGate* const gate_;
};

}  // namespace spire_exporter

#endif  // EXPORTER_HTTP_DISPATCHER_H_
