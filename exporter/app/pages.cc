#include "exporter/app/pages.h"

#include <nlohmann/json.hpp>

#include "exporter/app/version.h"
#include "exporter/base/text.h"

namespace spire_exporter {
namespace {

constexpr Duration kReloadWait = std::chrono::seconds(4);

constexpr std::string_view kStyle =
    "body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;"
    "color:#1b1f24;background:#fff}a{color:#0b5cad}h1{font-size:1.4rem;margin-bottom:.2rem}"
    "p.sub{margin-top:0;color:#57606a}div.wide{overflow-x:auto}table{border-collapse:collapse;"
    "width:100%}"
    "th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid #d0d7de;vertical-align:top}"
    "td.good{color:#1a7f37}td.bad{color:#b42318}td.error{overflow-wrap:anywhere;min-width:14rem}"
    "@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}a{color:#6cb6ff}"
    "p.sub{color:#9198a1}th,td{border-color:#30363d}td.good{color:#3fb950}td.bad{color:#ff7b72}}";

std::string Html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

// Whole seconds are enough for a person.
std::string AgeText(Duration age) {
  return FormatDuration(std::chrono::duration_cast<std::chrono::seconds>(age));
}

void AppendRow(std::string_view name, std::string_view state, bool good, std::string_view age,
               std::string_view error, std::string& out) {
  out += "<tr><td>" + Html(name) + "</td><td class=\"" + (good ? "good" : "bad") + "\">" +
         Html(state) + "</td><td>" + Html(age) + "</td><td class=\"error\">" + Html(error) +
         "</td></tr>\n";
}

void AppendCollectors(CollectorSet& collectors, std::string& out) {
  for (const auto& [name, age] : collectors.LiveAges()) {
    AppendRow(name + " stream", age ? "listening" : "waiting for its first scrape", true,
              age ? AgeText(*age) : "", "", out);
  }
  for (const RunnerState& state : collectors.States()) {
    const std::string_view verdict = state.success         ? "well"
                                     : state.finished_once ? "failing"
                                                           : "waiting for its first reading";
    AppendRow(state.collector + " " + state.target, verdict, state.success,
              state.reading_age ? AgeText(*state.reading_age) : "none", state.last_error, out);
  }
}

}  // namespace

HttpResponse HealthyPage() {
  return HttpResponse::Text(200, "spire-exporter is healthy.\n");
}

HttpResponse ReadyPage(CollectorSet& collectors) {
  std::string waiting;
  for (const RunnerState& state : collectors.States()) {
    if (!state.finished_once) waiting += " " + state.collector + "/" + state.target;
  }
  if (waiting.empty()) return HttpResponse::Text(200, "spire-exporter is ready.\n");
  return HttpResponse::Text(503, "waiting for the first reading of" + waiting + "\n");
}

HttpResponse ReloadPage(ReloadGate& gate) {
  const Status outcome = gate.Request(kReloadWait);
  if (outcome.ok()) return HttpResponse::Text(200, "reloaded\n");
  return HttpResponse::Text(500, "not reloaded: " + outcome.error().ToString() + "\n");
}

HttpResponse LandingPage(const ProcessFacts& facts, CollectorSet& collectors, const Clock& clock) {
  std::string out =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
      "<title>spire-exporter</title><style>";
  out += kStyle;
  out += "</style></head><body>\n<h1>spire-exporter</h1>\n<p class=\"sub\">Version " +
         Html(kVersion) + ", beside a SPIRE " + Html(RoleName(facts.role)) +
         (facts.trust_domain.empty() ? "" : " of " + Html(facts.trust_domain)) + ", up for " +
         AgeText(std::chrono::duration_cast<Duration>(clock.System() - facts.started)) + ".</p>\n";
  out += "<p><a href=\"" + Html(facts.telemetry_path) +
         "\">Metrics</a> · <a href=\"/api/v1/status\">Status as JSON</a> · <a "
         "href=\"/-/ready\">Readiness</a></p>\n";
  out +=
      "<div class=\"wide\"><table>\n<tr><th>Source</th><th>State</th><th>Age</th><th>What is "
      "wrong</th></tr>\n";
  AppendCollectors(collectors, out);
  out += "</table></div>\n</body></html>\n";

  HttpResponse response = HttpResponse::Text(200, std::move(out));
  response.content_type = "text/html; charset=utf-8";
  response.headers = {
      {"Content-Security-Policy",
       "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
       "frame-ancestors 'none'"},
      {"Cache-Control", "no-store"}};
  return response;
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
