#include "exporter/app/landing.h"

#include <algorithm>
#include <set>
#include <utility>

#include "exporter/app/version.h"
#include "exporter/base/text.h"

namespace spire_exporter {
namespace {

using Source = LandingView::Source;
using State = LandingView::State;

// Rows become cards on a narrow screen, so that nothing has to be pushed sideways.
constexpr std::string_view kStyle =
    ":root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--paper:#fff;"
    "--well:#1a7f37;--bad:#b42318;--wait:#7d5700;--link:#0b5cad}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9198a1;--line:#30363d;"
    "--paper:#0d1117;--well:#3fb950;--bad:#ff7b72;--wait:#d29922;--link:#6cb6ff}}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:1.5rem auto;padding:0 1rem;"
    "color:var(--ink);background:var(--paper)}a{color:var(--link)}"
    "h1{font-size:1.4rem;margin:0}h2{font-size:1.1rem;margin:1.6rem 0 .3rem}p{margin:.3rem 0}"
    ".soft{color:var(--soft)}.well{color:var(--well)}.bad{color:var(--bad)}.wait{color:var(--wait)}"
    ".verdict{font-size:1.2rem;font-weight:600;margin:.8rem 0}nav a{margin-right:1rem}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.35rem .6rem .35rem 0;"
    "border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}"
    "td.n{overflow-wrap:normal;white-space:nowrap}ul{padding-left:1.2rem;margin:.3rem 0}"
    "li{overflow-wrap:anywhere;margin:.3rem 0}summary{cursor:pointer}code{font-size:.9em}"
    "@media(max-width:40rem){thead{display:none}tr{display:block;padding:.4rem 0;"
    "border-bottom:1px solid var(--line)}td{display:block;border:0;padding:.1rem 0}"
    "td:empty{display:none}td.n{white-space:normal}"
    "td[data-name]:before{content:attr(data-name) \": \";color:var(--soft)}}";

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

std::string_view ClassOf(State state) {
  switch (state) {
    case State::kWell:
      return "well";
    case State::kFailing:
      return "bad";
    case State::kWaiting:
      break;
  }
  return "wait";
}

// `1 source`, `3 sources`.
std::string Count(size_t number, std::string_view what) {
  return std::to_string(number) + " " + std::string(what) + (number == 1 ? "" : "s");
}

size_t CountIn(const LandingView& view, State state) {
  return static_cast<size_t>(std::count_if(view.sources.begin(), view.sources.end(),
                                           [&](const Source& one) { return one.state == state; }));
}

void AppendVerdict(const LandingView& view, std::string& out) {
  const size_t failing = CountIn(view, State::kFailing);
  const size_t waiting = CountIn(view, State::kWaiting);
  std::string says = "It sees all of " + Count(view.sources.size(), "source") + ".";
  State state = State::kWell;
  if (view.sources.empty()) {
    says = "It watches nothing: no source is configured.";
    state = State::kWaiting;
  } else if (failing != 0) {
    says = std::to_string(failing) + " of " + Count(view.sources.size(), "source") +
           (failing == 1 ? " fails." : " fail.");
    state = State::kFailing;
  } else if (waiting != 0) {
    says = "Waiting for " + std::to_string(waiting) + " of " +
           Count(view.sources.size(), "source") + ".";
    state = State::kWaiting;
  }
  out += "<p class=\"verdict " + std::string(ClassOf(state)) + "\">" + says + "</p>\n";
}

void AppendSources(const LandingView& view, std::string& out) {
  if (view.sources.empty()) return;
  out +=
      "<table>\n<thead><tr><th>Source</th><th>State</th><th>Age</th><th>What is wrong</th></tr>"
      "</thead>\n<tbody>\n";
  for (const Source& source : view.sources) {
    out += "<tr><td class=\"n\"><b>" + Html(source.name) + "</b></td><td class=\"" +
           std::string(ClassOf(source.state)) + "\" data-name=\"State\">" + Html(source.says) +
           "</td>";
    // An empty cell goes without its name, so that a phone leaves the line out.
    out += source.age.empty() ? "<td></td>"
                              : "<td class=\"n\" data-name=\"Age\">" + Html(source.age) + "</td>";
    out += source.error.empty() ? "<td></td>"
                                : "<td data-name=\"What is wrong\">" + Html(source.error) + "</td>";
    out += "</tr>\n";
  }
  out += "</tbody>\n</table>\n";
}

void AppendSeries(const LandingView& view, const std::string& path, std::string& out) {
  out += "<ul>\n";
  for (const LandingView::Collector& one : view.collectors) {
    if (!one.enabled) continue;
    out += "<li><b>" + Html(one.name) + "</b>: " + Html(one.summary) + ". <a href=\"" + Html(path) +
           "?collect[]=" + Html(one.name) + "\">" + std::to_string(one.series) + " series</a> in " +
           std::to_string(one.families - one.absent.size()) + " of " +
           std::to_string(one.families) + " families.</li>\n";
  }
  out += "</ul>\n";
}

void AppendLacks(const LandingView& view, std::string& out) {
  std::string lacks;
  if (!view.reload_good) {
    lacks +=
        "<li class=\"bad\">The configuration on disk: the last reload failed, and the one before "
        "it "
        "stays in force. The log and <code>POST /-/reload</code> say why.</li>\n";
  }
  for (const LandingView::Collector& one : view.collectors) {
    if (!one.enabled) {
      lacks += "<li><b>" + Html(one.name) + "</b> is switched off (" + Html(one.summary) +
               "); <code>--collector." + Html(one.name) + "</code> switches it on.</li>\n";
      continue;
    }
    if (one.absent.empty()) continue;
    lacks += "<li><details><summary>" + std::to_string(one.absent.size()) + " of " +
             std::to_string(one.families) + " families of <b>" + Html(one.name) +
             "</b> have no series now: nothing has been seen that they would tell.</summary><ul>\n";
    for (const FamilyDescription* const family : one.absent) {
      lacks += "<li><code>" + Html(family->name) + "</code> " + Html(family->help) +
               " <span class=\"soft\">From " + Html(family->source) + ".</span></li>\n";
    }
    lacks += "</ul></details></li>\n";
  }
  if (lacks.empty()) return;
  out += "<h2>What it lacks</h2>\n<ul>\n" + lacks + "</ul>\n";
}

std::vector<Source> ReadSources(CollectorSet& collectors) {
  std::vector<Source> sources;
  for (const auto& [name, age] : collectors.LiveAges()) {
    sources.push_back({name + " stream", State::kWell,
                       age ? "listening" : "listening, not asked yet", age ? AgeText(*age) : "",
                       ""});
  }
  for (const RunnerState& state : collectors.States()) {
    Source source{state.collector + " " + state.target, State::kWaiting,
                  "waiting for its first reading",
                  state.reading_age ? AgeText(*state.reading_age) : "", state.last_error};
    if (state.success) {
      source.state = State::kWell;
      source.says = "well";
    } else if (state.finished_once) {
      source.state = State::kFailing;
      source.says = "failing";
    }
    sources.push_back(std::move(source));
  }
  return sources;
}

LandingView::Collector ReadCollector(const CatalogEntry& entry, CollectorSet& collectors,
                                     const Deadline& live_deadline) {
  LandingView::Collector view{entry.name, entry.summary, true, 0, entry.families.size(), {}};
  std::set<std::string_view> present;
  const auto wanted = [&](std::string_view name) { return name == entry.name; };
  for (const auto& snapshot : collectors.Gather(wanted, live_deadline)) {
    if (snapshot == nullptr) continue;
    for (const Family& family : snapshot->families) {
      view.series += family.series.size();
      if (!family.series.empty()) present.insert(family.description->name);
    }
  }
  for (const FamilyDescription* const family : entry.families) {
    if (present.count(family->name) == 0) view.absent.push_back(family);
  }
  std::sort(
      view.absent.begin(), view.absent.end(),
      [](const FamilyDescription* a, const FamilyDescription* b) { return a->name < b->name; });
  return view;
}

}  // namespace

LandingView ReadLandingView(std::span<const CatalogEntry> catalog, CollectorSet& collectors,
                            const ReloadState& reload, const Deadline& live_deadline) {
  LandingView view;
  const std::vector<std::string> enabled = collectors.Enabled();
  for (const CatalogEntry& entry : catalog) {
    if (std::find(enabled.begin(), enabled.end(), entry.name) != enabled.end()) {
      view.collectors.push_back(ReadCollector(entry, collectors, live_deadline));
    } else {
      view.collectors.push_back({entry.name, entry.summary, false, 0, entry.families.size(), {}});
    }
  }
  view.sources = ReadSources(collectors);  // after the live ones have been asked
  view.reload_good = reload.success;
  return view;
}

HttpResponse LandingPage(const ProcessFacts& facts, const LandingView& view, const Clock& clock) {
  std::string out =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
      "<title>spire-exporter</title><style>";
  out += kStyle;
  out += "</style></head><body>\n<h1>spire-exporter</h1>\n<p class=\"soft\">Version " +
         Html(kVersion) + ", " +
         (facts.role == Role::kStandalone ? "standing alone"
                                          : "beside a SPIRE " + Html(RoleName(facts.role))) +
         (facts.trust_domain.empty() ? "" : " of " + Html(facts.trust_domain)) + ", up for " +
         AgeText(std::chrono::duration_cast<Duration>(clock.System() - facts.started)) + ".</p>\n";
  AppendVerdict(view, out);
  out += "<nav><a href=\"" + Html(facts.telemetry_path) +
         "\">Metrics</a><a href=\"/api/v1/status\">Status as JSON</a><a "
         "href=\"/-/ready\">Readiness</a></nav>\n<h2>What it sees</h2>\n";
  AppendSources(view, out);
  AppendSeries(view, facts.telemetry_path, out);
  AppendLacks(view, out);
  out += "</body></html>\n";

  HttpResponse response = HttpResponse::Text(200, std::move(out));
  response.content_type = "text/html; charset=utf-8";
  response.headers = {
      {"Content-Security-Policy",
       "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
       "frame-ancestors 'none'"},
      {"Cache-Control", "no-store"}};
  return response;
}

}  // namespace spire_exporter
