#include "collectors/telemetry/scrape_collector.h"

#include <algorithm>
#include <atomic>
#include <string>
#include <utility>

#include "collectors/clients/http/http_client.h"
#include "collectors/telemetry/scrape_client.h"
#include "collectors/telemetry/scrape_poll.h"
#include "collectors/telemetry/text_page.h"
#include "exporter/base/text.h"

namespace spire_exporter::telemetry {
namespace {

constexpr FamilyDescription kPageBytes = {
    "spire_exporter_telemetry_scrape_bytes",
    MetricType::kGauge,
    "bytes",
    {},
    "Size of SPIRE's own metrics page at the last scrape of it.",
    "SPIRE's Prometheus endpoint"};
constexpr FamilyDescription kPageSeries = {
    "spire_exporter_telemetry_scrape_series",
    MetricType::kGauge,
    "",
    {},
    "Series of SPIRE on its own metrics page at the last scrape of it.",
    "SPIRE's Prometheus endpoint"};
constexpr FamilyDescription kServing = {"spire_exporter_telemetry_scrape_serving_seconds_total",
                                        MetricType::kCounter,
                                        "seconds",
                                        {},
                                        "Time from asking for SPIRE's own metrics page to its last "
                                        "byte, of all pages; its rate is what "
                                        "they cost SPIRE at the most, in cores.",
                                        "this process"};
constexpr FamilyDescription kScrapePeriod = {
    "spire_exporter_telemetry_scrape_period_seconds",
    MetricType::kGauge,
    "seconds",
    {},
    "How often SPIRE's own metrics page is read now: the interval, or more often while the stream "
    "is silent.",
    "this process"};
constexpr const FamilyDescription* kScrapeFamilies[] = {&kPageBytes, &kPageSeries, &kServing,
                                                        &kScrapePeriod};

// As in a name of Prometheus: SPIRE's sink replaces what may not stand in one.
std::string PagePrefix(std::string_view prefix) {
  std::string out(prefix);
  for (char& c : out) {
    if (c == '.' || c == '-' || c == ' ' || c == '=' || c == '/') c = '_';
  }
  return out + '_';
}

bool IsSpires(const std::vector<ScrapedSeries>& series, const std::string& prefix) {
  return std::any_of(series.begin(), series.end(), [&](const ScrapedSeries& each) {
    return each.key.starts_with("spire_server_") || each.key.starts_with("spire_agent_") ||
           (!prefix.empty() && each.key.starts_with(PagePrefix(prefix)));
  });
}

struct Scraped {
  std::shared_ptr<const ScrapedPage> page;
  size_t bytes = 0;
};

Result<Scraped> Scrape(ScrapeClient& client, const Url& url, const std::string& prefix,
                       const Clock& clock, const Deadline& deadline, std::stop_token stop) {
  auto page = std::make_shared<ScrapedPage>();
  page->asked = clock.Steady();
  auto reply = client.Get(url, deadline, clock, std::move(stop));
  page->received = clock.Steady();
  if (!reply.ok()) return std::move(reply).error();
  if (reply->status != 200) {
    return Error{Code::kFailedPrecondition, "SPIRE answered " + std::to_string(reply->status), "",
                 true};
  }
  if (!reply->content_type.empty() && !reply->content_type.starts_with("text/plain")) {
    return Error{Code::kFailedPrecondition,
                 "not SPIRE's metrics page: it is " + Quoted(reply->content_type), "", true};
  }
  auto series = ParseTextPage(reply->body);
  if (!series.ok()) return std::move(series).error();
  if (!IsSpires(*series, prefix)) {
    return Error{Code::kFailedPrecondition,
                 "not SPIRE's metrics page: no spire_server_*, no spire_agent_*" +
                     (prefix.empty() ? std::string() : ", no " + PagePrefix(prefix) + "*"),
                 "", true};
  }
  page->series = *std::move(series);
  return Scraped{std::move(page), reply->body.size()};
}

class ScrapeCollector final : public Collector {
 public:
  ScrapeCollector(const ScrapeOptions& options, ScrapeSink& sink, OpenWorkload open)
      : options_(options),
        sink_(sink),
        client_(options, std::move(open)),
        poll_(options.interval, options.poll),
        period_ns_(std::chrono::nanoseconds(options.interval).count()) {}

  std::string_view Name() const override { return "telemetry"; }
  std::string_view Target() const override { return "scrape"; }
  Duration Period() const override {
    return std::chrono::nanoseconds(period_ns_.load(std::memory_order_relaxed));
  }
  Duration Timeout() const override { return options_.timeout; }

  std::string Fingerprint() const override {
    std::string out;
    for (const std::string& each :
         {options_.url, FormatDuration(options_.interval), FormatDuration(options_.timeout),
          FormatDuration(options_.poll), options_.ca_file, options_.server_name, options_.cert_file,
          options_.key_file, options_.spiffe_socket, options_.spiffe_server_id, options_.prefix}) {
      out += each + '\n';
    }
    return out;
  }

  Result<Reading> Collect(const CollectContext& context) override {
    const auto url = ParseUrl(options_.url);
    if (!url.ok()) return url.error();
    const SteadyTime began = context.clock.Steady();
    auto scraped =
        Scrape(client_, *url, options_.prefix, context.clock, context.deadline, context.stop);
    if (!scraped.ok()) {
      poll_.OnFailure(context.clock.Steady() - began);
      SetPeriod();
      return std::move(scraped).error();
    }
    const Duration served = scraped->page->received - scraped->page->asked;
    if (serving_seconds_ == 0) created_seconds_ = UnixSeconds(context.clock.System());
    serving_seconds_ += Seconds(served);
    poll_.OnPage(served);
    SetPeriod();
    Reading reading;
    reading.families.Add(kServing, {}, serving_seconds_, created_seconds_);
    reading.families.Add(kScrapePeriod, {}, Seconds(Period()));
    reading.families.Add(kPageBytes, {}, static_cast<double>(scraped->bytes));
    reading.families.Add(kPageSeries, {}, static_cast<double>(scraped->page->series.size()));
    sink_.Deliver(std::move(scraped->page));
    return reading;
  }

 private:
  void SetPeriod() {
    const Duration next = poll_.Next(sink_.StreamSpeaks());
    period_ns_.store(std::chrono::nanoseconds(next).count(), std::memory_order_relaxed);
  }

  const ScrapeOptions options_;
  ScrapeSink& sink_;
  ScrapeClient client_;
  ScrapePoll poll_;
  double serving_seconds_ = 0;
  double created_seconds_ = 0;
  // Written by Collect()'s thread alone and stands alone, so relaxed is enough.
  std::atomic<int64_t> period_ns_;
};

std::string Remedy(Code code) {
  switch (code) {
    case Code::kUnavailable:
    case Code::kDeadlineExceeded:
      return "turn on telemetry { Prometheus { port = 9988 } } in SPIRE's configuration, or set "
             "telemetry.scrape.url";
    case Code::kUnauthenticated:
      return "set telemetry.scrape.ca_file and telemetry.scrape.server_name, or "
             "telemetry.scrape.spiffe.server_id";
    case Code::kPermissionDenied:
      return "set telemetry.scrape.cert_file and telemetry.scrape.key_file, or "
             "telemetry.scrape.spiffe with an entry whose SPIFFE ID is in SPIRE's "
             "authorized_spiffe_ids";
    default:
      return "set telemetry.scrape.url to SPIRE's Prometheus endpoint";
  }
}

}  // namespace

std::span<const FamilyDescription* const> ScrapeFamilies() {
  return kScrapeFamilies;
}

std::unique_ptr<Collector> MakeScrapeCollector(const ScrapeOptions& options, ScrapeSink& sink,
                                               OpenWorkload open) {
  return std::make_unique<ScrapeCollector>(options, sink, std::move(open));
}

CheckLine CheckScrape(const ScrapeOptions& options, const Clock& clock, const Deadline& deadline) {
  CheckLine line;
  line.subject = "telemetry scrape " + options.url;
  const auto url = ParseUrl(options.url);
  if (!url.ok()) {
    line.detail = url.error().what;
    line.remedy = Remedy(url.error().code);
    return line;
  }
  ScrapeClient client(options, OverSocket());
  const auto scraped = Scrape(client, *url, options.prefix, clock, deadline, {});
  line.good = scraped.ok();
  if (scraped.ok()) {
    line.detail = std::to_string(scraped->page->series.size()) + " series of SPIRE";
  } else {
    line.detail = scraped.error().what;
    line.remedy = Remedy(scraped.error().code);
  }
  return line;
}

}  // namespace spire_exporter::telemetry
