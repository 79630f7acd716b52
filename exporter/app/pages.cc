#include "exporter/app/pages.h"

#include <nlohmann/json.hpp>

#include "exporter/app/version.h"
#include "exporter/base/text.h"

namespace spire_exporter {
namespace {

// More than ReloadGate::kApart, which a request may have to wait before its reload begins.
constexpr Duration kReloadWait = std::chrono::seconds(4);

}  // namespace

HttpResponse HealthyPage() {
  return HttpResponse::Text(200, "spire-exporter is healthy.\n");
}

HttpResponse ReadyPage(CollectorSet& collectors, const std::string& page_waits) {
  std::string waiting;
  for (const RunnerState& state : collectors.States()) {
    if (!state.finished_once) waiting += " " + state.collector + "/" + state.target;
  }
  const std::string more = page_waits.empty() ? "" : page_waits + "\n";
  if (waiting.empty()) return HttpResponse::Text(200, "spire-exporter is ready.\n" + more);
  return HttpResponse::Text(503, "waiting for the first reading of" + waiting + "\n" + more);
}

HttpResponse ReloadPage(ReloadGate& gate) {
  const Status outcome = gate.Request(kReloadWait);
  if (outcome.ok()) return HttpResponse::Text(200, "reloaded\n");
  if (outcome.error().code == Code::kResourceExhausted) {
    HttpResponse busy = HttpResponse::Text(429, outcome.error().what + "\n");
    busy.headers = {{"Retry-After", "1"}};
    return busy;
  }
  return HttpResponse::Text(500, "not reloaded: " + outcome.error().ToString() + "\n");
}

HttpResponse StatusPage(const ProcessFacts& facts, CollectorSet& collectors, const ReloadGate& gate,
                        const Clock& clock) {
  using Json = nlohmann::ordered_json;
  const ReloadState reload = gate.state();
  Json body = {{"version", kVersion},
               {"revision", kRevision},
               {"role", std::string(RoleName(facts.role))},
               {"trust_domain", facts.trust_domain.empty() ? Json() : Json(facts.trust_domain)},
               {"started_timestamp_seconds", UnixSeconds(facts.started)},
               {"now_timestamp_seconds", UnixSeconds(clock.System())},
               {"config_last_reload_success", reload.success},
               {"collectors", Json::array()}};
  for (const RunnerState& state : collectors.States()) {
    body["collectors"].push_back(
        {{"collector", state.collector},
         {"target", state.target},
         {"success", state.finished_once ? Json(state.success) : Json()},
         {"last_success_timestamp_seconds",
          state.last_success_seconds ? Json(*state.last_success_seconds) : Json()},
         {"age_seconds", state.reading_age ? Json(Seconds(*state.reading_age)) : Json()},
         {"last_duration_seconds",
          state.finished_once ? Json(Seconds(state.last_duration)) : Json()},
         {"overruns", state.overruns},
         {"last_error", state.last_error}});
  }
  // Errors quote what peers sent: bytes that are not UTF-8 must not make this throw.
  HttpResponse response =
      HttpResponse::Text(200, body.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  response.content_type = "application/json";
  response.headers = {{"Cache-Control", "no-store"}};
  return response;
}

}  // namespace spire_exporter
