#include "exporter/app/metrics_handler.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <exception>

#include "exporter/base/text.h"

namespace spire_exporter {
namespace {

// How long a scrape waits for the stream before it takes the state that came last.
constexpr Duration kLiveWait = std::chrono::milliseconds(5);

// How long a scrape waits for the page that another one is having made: Prometheus' own timeout.
constexpr Duration kShareWait = std::chrono::seconds(10);

// A share of the scraper's timeout, and `most` at the most, or where it says none; what is no
// number is none.
Duration WaitFor(const std::string& scrape_timeout, double share, Duration most) {
  double seconds = 0;
  const char* const end = scrape_timeout.data() + scrape_timeout.size();
  const auto [last, error] = std::from_chars(scrape_timeout.data(), end, seconds);
  // Above an hour nothing is shortened, and nothing overflows.
  if (error != std::errc() || last != end || !(seconds > 0) || seconds > 3600) return most;
  return std::min(
      most, std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds * share)));
}

// The quotes of Quoted() keep what a client sent from reaching the page as it is.
Error UnknownName(std::string_view name, std::span<const std::string_view> names) {
  std::string what = Quoted(name) + " is no collector: expected one of";
  for (const std::string_view known : names) what += " " + std::string(known) + ",";
  return Error{Code::kInvalidArgument, what + " " + std::string(kOwnFamilies), "", false};
}

Result<bool> CreatedWanted(const HttpRequest& request) {
  const std::vector<std::string> said = request.Query("created");
  if (said.empty()) return false;
  if (said.size() == 1 && said.front() == "true") return true;
  if (said.size() == 1 && said.front() == "false") return false;
  return Error{Code::kInvalidArgument, "created: expected true or false, once", "", false};
}

}  // namespace

MetricsHandler::MetricsHandler(CollectorSet& collectors, std::vector<std::string_view> names,
                               OwnSnapshots own, OnPage on_page, const Clock& clock)
    : collectors_(collectors),
      names_(std::move(names)),
      own_(std::move(own)),
      on_page_(std::move(on_page)),
      clock_(clock) {}

Result<std::set<std::string, std::less<>>> MetricsHandler::WantedNames(
    const HttpRequest& request) const {
  const std::vector<std::string> collect = request.Query("collect[]");
  const std::vector<std::string> exclude = request.Query("exclude[]");
  if (!collect.empty() && !exclude.empty()) {
    return Error{Code::kInvalidArgument, "collect[] and exclude[] cannot be used together", "",
                 false};
  }
  std::set<std::string, std::less<>> all(names_.begin(), names_.end());
  all.emplace(kOwnFamilies);
  for (const std::vector<std::string>* asked : {&collect, &exclude}) {
    for (const std::string& name : *asked) {
      if (!all.contains(name)) return UnknownName(name, names_);
    }
  }
  if (!collect.empty()) return std::set<std::string, std::less<>>(collect.begin(), collect.end());
  for (const std::string& name : exclude) all.erase(name);
  return all;
}

Page MetricsHandler::MakePage(const std::set<std::string, std::less<>>& wanted,
                              Duration live_wait) {
  std::vector<std::shared_ptr<const Snapshot>> snapshots =
      collectors_.Gather([&wanted](std::string_view name) { return wanted.contains(name); },
                         Deadline::After(clock_, live_wait));
  if (wanted.contains(kOwnFamilies)) {
    for (std::shared_ptr<const Snapshot>& own : own_()) snapshots.push_back(std::move(own));
  }
  Page page = Page::Merge(std::move(snapshots), most_.load(std::memory_order_relaxed));
  on_page_(page.report());
  return page;
}

Result<MetricsHandler::Wish> MetricsHandler::WishOf(const HttpRequest& request) const {
  auto names = WantedNames(request);
  if (!names.ok()) return names.error();
  const auto created = CreatedWanted(request);
  if (!created.ok()) return created.error();
  return Wish{.names = *std::move(names),
              .options = {.created_samples = *created},
              .format = ChooseFormat(request.Header("Accept")),
              .coding = ChooseCoding(request.Header("Accept-Encoding"))};
}

// Names of collectors have no blanks in them.
std::string MetricsHandler::Wish::Key() const {
  std::string key =
      std::to_string(static_cast<int>(format)) + std::to_string(static_cast<int>(coding));
  // The other formats have no such samples, and one page for both.
  if (options.created_samples && format == Format::kOpenMetrics) key += "created";
  for (const std::string& name : names) key += " " + name;
  return key;
}

HttpResponse MetricsHandler::Render(const Wish& wish, Duration live_wait) {
  std::string body;
  Write(wish.format, MakePage(wish.names, live_wait), wish.options, body);
  HttpResponse response;
  response.content_type = ContentType(wish.format);
  response.headers = {{"Vary", "Accept, Accept-Encoding"}};
  if (wish.coding == Coding::kGzip) {
    // Without memory for the compressed body the plain one still goes out.
    if (Result<std::string> compressed = gzip_.Compress(body); compressed.ok()) {
      body = std::move(compressed).value();
      response.headers.emplace_back("Content-Encoding", "gzip");
    }
  }
  response.body = std::make_shared<const std::string>(std::move(body));
  return response;
}

HttpResponse MetricsHandler::Handle(const HttpRequest& request) {
  const auto wish = WishOf(request);
  if (!wish.ok()) return HttpResponse::Text(400, wish.error().ToString() + "\n");
  const std::string timeout = request.Header("X-Prometheus-Scrape-Timeout-Seconds");
  const std::string key = wish->Key();
  std::promise<HttpResponse> promise;
  std::shared_future<HttpResponse> others;
  {
    const MutexLock lock(mutex_);
    const auto [making, ours] = making_.try_emplace(key);
    if (ours) {
      making->second = promise.get_future().share();
    } else {
      others = making->second;
    }
  }
  if (others.valid()) {
    // What is left of its time is for the answer's way.
    if (others.wait_for(WaitFor(timeout, 0.9, kShareWait)) == std::future_status::ready) {
      return others.get();
    }
    return HttpResponse::Text(503, "The page is still being made for another scrape.\n");
  }
  // Whoever comes from here on gets a page of its own: this one may be old by then.
  const auto done = [&] {
    const MutexLock lock(mutex_);
    making_.erase(key);
  };
  try {
    HttpResponse response = Render(*wish, WaitFor(timeout, 0.1, kLiveWait));
    done();
    promise.set_value(response);
    return response;
  } catch (...) {
    done();
    promise.set_exception(std::current_exception());
    throw;
  }
}

}  // namespace spire_exporter
