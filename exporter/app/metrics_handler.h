// GET /metrics: gathers, merges, negotiates and writes. Never waits for a source.
#ifndef EXPORTER_APP_METRICS_HANDLER_H_
#define EXPORTER_APP_METRICS_HANDLER_H_

#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "exporter/base/mutex.h"
#include "exporter/collect/collector_set.h"
#include "exporter/expose/gzip.h"
#include "exporter/expose/negotiation.h"
#include "exporter/expose/page.h"
#include "exporter/expose/writer.h"
#include "exporter/http/http_types.h"

namespace spire_exporter {

// The name under which collect[] and exclude[] know the process's own families.
inline constexpr std::string_view kOwnFamilies = "exporter";

// Safe from several threads. Requests for the same page that come while it is made share it: forty
// scrapes at once cost one. Who shares waits for nine tenths of its scrape's timeout, 10 s at the
// most, and is answered with 503 where the page is not there by then.
class MetricsHandler final : public HttpHandler {
 public:
  // Makes the snapshots of the process's own families; called once a scrape, from any thread.
  using OwnSnapshots = std::function<std::vector<std::shared_ptr<const Snapshot>>()>;
  // Told of what a page had to leave out; from any thread.
  using OnPage = std::function<void(const PageReport&)>;

  // The references outlive the handler. `names` are the collectors that may be named in a query.
  MetricsHandler(CollectorSet& collectors, std::vector<std::string_view> names, OwnSnapshots own,
                 OnPage on_page, const Clock& clock);

  HttpResponse Handle(const HttpRequest& request) override;
  // What pages show from now on. Safe from any thread.
  void Show(Detail most) { most_.store(most, std::memory_order_relaxed); }

 private:
  // What a page is made of; those who want the same share it.
  struct Wish {
    std::set<std::string, std::less<>> names;
    WriteOptions options;
    Format format;
    Coding coding;
    std::string Key() const;
  };
  Result<Wish> WishOf(const HttpRequest& request) const;
  Result<std::set<std::string, std::less<>>> WantedNames(const HttpRequest& request) const;
  Page MakePage(const std::set<std::string, std::less<>>& wanted, Duration live_wait);
  HttpResponse Render(const Wish& wish, Duration live_wait);

  CollectorSet& collectors_;
  const std::vector<std::string_view> names_;
  const OwnSnapshots own_;
  const OnPage on_page_;
  const Clock& clock_;
  Gzip gzip_;
  // relaxed: a lone value, that the next page reads.
  std::atomic<Detail> most_{Detail::kFull};
  Mutex mutex_;
  // Pages that are being made, by what they will hold.
  std::map<std::string, std::shared_future<HttpResponse>> making_ GUARDED_BY(mutex_);
};

}  // namespace spire_exporter

#endif  // EXPORTER_APP_METRICS_HANDLER_H_
