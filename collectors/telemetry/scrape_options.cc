#include "collectors/telemetry/scrape_options.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "collectors/clients/http/url.h"
#include "collectors/clients/spiffe/class_map.h"

namespace spire_exporter::telemetry {

namespace {

// Also the default on the loopback: as often as serving the pages may be afforded.
constexpr Duration kPollMin = std::chrono::milliseconds(200);

// By its writing: a name is resolved again and again, and may mean another host tomorrow.
bool IsLoopback(std::string_view host) {
  return host == "localhost" || host == "::1" ||
         (host.starts_with("127.") &&
          host.find_first_not_of("0123456789.") == std::string_view::npos);
}

// SPIRE's endpoint serves with its own SVID: a server's has one name, an agent's one of the node.
std::string DefaultServerId(const std::string& trust_domain, Role role) {
  if (trust_domain.empty() || role == Role::kStandalone) return {};
  return "spiffe://" + trust_domain + (role == Role::kServer ? "/spire/server" : "/spire/agent/**");
}

Status ReadSpiffe(const ConfigNode& node, Role role, ScrapeOptions* read) {
  if (!node.present()) return {};
  ConfigReader reader(node);
  read->spiffe_server_id = DefaultServerId(read->trust_domain, role);
  reader.Read("socket", &read->spiffe_socket);
  reader.Read("server_id", &read->spiffe_server_id);
  if (Status status = reader.Finish(); !status.ok()) return status;
  std::string_view path = read->spiffe_socket;
  if (path.starts_with("unix://")) path.remove_prefix(7);
  if (!path.starts_with('/')) {
    return node["socket"].Fail("expected the Workload API's, as unix:///run/spire/agent.sock");
  }
  const std::array<spiffe::ClassOptions, 1> who = {{{"server", read->spiffe_server_id}}};
  if (read->spiffe_server_id.empty() || !spiffe::ClassMap::Make(who).ok()) {
    return node["server_id"].Fail(
        "expected the endpoint's SPIFFE ID, as spiffe://example.org/spire/server");
  }
  return {};
}

}  // namespace

Status ReadScrapeOptions(const ConfigNode& scrape, Role role, ScrapeOptions* options) {
  using std::chrono::hours;
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  ScrapeOptions read;
  read.prefix = options->prefix;
  read.trust_domain = options->trust_domain;
  if (role != Role::kStandalone) read.url = "http://127.0.0.1:9988/";
  ConfigReader reader(scrape);
  reader.Read("url", &read.url);
  reader.Read("interval", &read.interval, seconds(1), hours(1));
  reader.Read("timeout", &read.timeout, milliseconds(100), hours(1));
  reader.Read("ca_file", &read.ca_file);
  reader.Read("server_name", &read.server_name);
  reader.Read("cert_file", &read.cert_file);
  reader.Read("key_file", &read.key_file);
  reader.Check(ReadSpiffe(reader.Take("spiffe"), role, &read));

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
  if (loopback) read.poll = std::min<Duration>(kPollMin, read.interval);
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
    if (!value.empty() && !read.spiffe_socket.empty()) reader.Fail(key, "not beside spiffe");
  }
  if (!read.spiffe_socket.empty() && !tls) reader.Fail("spiffe", "only for an https:// url");
  if (read.cert_file.empty() != read.key_file.empty()) {
    reader.Fail(read.cert_file.empty() ? "key_file" : "cert_file",
                "cert_file and key_file go together");
  }
  if (Status status = reader.Finish(); !status.ok()) return status;
  *options = std::move(read);
  return {};
}

}  // namespace spire_exporter::telemetry
