// The small endpoints: health, readiness, reload, and the status as JSON.
#ifndef EXPORTER_APP_PAGES_H_
#define EXPORTER_APP_PAGES_H_

#include <functional>
#include <string>

#include "exporter/app/reload.h"
#include "exporter/collect/collector_set.h"
#include "exporter/http/http_types.h"

namespace spire_exporter {

// What the landing page and the status say beside the collectors.
struct ProcessFacts {
  Role role = Role::kStandalone;
  std::string trust_domain;
  std::string telemetry_path;
  SystemTime started;
};

// A handler that is a function.
class FunctionHandler final : public HttpHandler {
 public:
  explicit FunctionHandler(std::function<HttpResponse(const HttpRequest&)> function)
      : function_(std::move(function)) {}
  HttpResponse Handle(const HttpRequest& request) override { return function_(request); }

 private:
  const std::function<HttpResponse(const HttpRequest&)> function_;
};

HttpResponse HealthyPage();
// 503 until every collector's first call has returned, well or not; the text says what is waited
// for. `page_waits` is what the page itself waits for, empty for nothing: it is said, and is no
// 503, or a SPIRE server whose pod is not ready for want of an SVID could never issue it.
HttpResponse ReadyPage(CollectorSet& collectors, const std::string& page_waits);
// Waits for the outcome: 200, or 500 with the error of the configuration.
HttpResponse ReloadPage(ReloadGate& gate);
// What the landing page (landing.h) says, as JSON.
HttpResponse StatusPage(const ProcessFacts& facts, CollectorSet& collectors, const ReloadGate& gate,
                        const Clock& clock);

}  // namespace spire_exporter

#endif  // EXPORTER_APP_PAGES_H_
