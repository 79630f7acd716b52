#include "collectors/telemetry/scrape_options.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "collectors/clients/http/url.h"

namespace spire_exporter::telemetry {

namespace {

constexpr Duration kPollDefault = std::chrono::seconds(1);
constexpr Duration kPollMin = std::chrono::milliseconds(200);

// By its writing: a name is resolved again and again, and may mean another host tomorrow.
bool IsLoopback(std::string_view host) {
  return host == "localhost" || host == "::1" ||
         (host.starts_with("127.") &&
          host.find_first_not_of("0123456789.") == std::string_view::npos);
}

}  // namespace

Status ReadScrapeOptions(const ConfigNode& scrape, Role role, ScrapeOptions* options) {
  using std::chrono::hours;
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  ScrapeOptions read;
  read.prefix = options->prefix;
  if (role != Role::kStandalone) read.url = "http://127.0.0.1:9988/";
  ConfigReader reader(scrape);
  reader.Read("url", &read.url);
  reader.Read("interval", &read.interval, seconds(1), hours(1));
  reader.Read("timeout", &read.timeout, milliseconds(100), hours(1));
  reader.Read("ca_file", &read.ca_file);
  reader.Read("server_name", &read.server_name);
  reader.Read("cert_file", &read.cert_file);
  reader.Read("key_file", &read.key_file);

  bool tls = false;
  bool loopback = false;
  if (read.enabled()) {
    if (const auto url = ParseUrl(read.url); url.ok()) {
      tls = url->tls;
      loopback = IsLoopback(url->host);
    } else {
      reader.Fail("url", url.error().what);
    }
  }
  if (loopback) read.poll = std::min<Duration>(kPollDefault, read.interval);
  reader.Read("poll", &read.poll, Duration::zero(), hours(1));
  if (read.poll > Duration::zero() && read.poll < kPollMin) reader.Fail("poll", "below 200ms");
  if (read.poll > read.interval) reader.Fail("poll", "longer than the interval");
  if (read.timeout > read.interval) reader.Fail("timeout", "longer than the interval");
  const std::pair<const char*, const std::string&> for_tls[] = {{"ca_file", read.ca_file},
                                                                {"server_name", read.server_name},
                                                                {"cert_file", read.cert_file},
                                                                {"key_file", read.key_file}};
  for (const auto& [key, value] : for_tls) {
    if (!value.empty() && !tls) reader.Fail(key, "only for an https:// url");
  }
  if (read.cert_file.empty() != read.key_file.empty()) {
    reader.Fail(read.cert_file.empty() ? "key_file" : "cert_file",
                "cert_file and key_file go together");
  }
  if (Status status = reader.Finish(); !status.ok()) return status;
  *options = std::move(read);
  return {};
}

}  // namespace spire_exporter::telemetry
