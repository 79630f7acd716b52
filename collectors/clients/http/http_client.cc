#include "collectors/clients/http/http_client.h"

#include <utility>
#include <vector>

namespace spire_exporter {

HttpClient::HttpClient(HttpClientOptions options)
    : options_(std::move(options)), tls_(options_.tls) {}

Result<std::unique_ptr<Connection>> HttpClient::Connect(const Url& url, const Waiter& waiter) {
  if (url.tls) {
    if (Status status = tls_.Refresh(); !status.ok()) return std::move(status).error();
  }
  auto addresses = resolver_.Resolve(url.host, url.port, waiter);
  if (!addresses.ok()) return std::move(addresses).error();
  auto fd = Dial(*addresses, waiter);
  if (!fd.ok()) return std::move(fd).error();
  if (url.tls) return tls_.Connect(*std::move(fd), url.host, waiter);
  return MakePlainConnection(*std::move(fd), waiter);
}

Result<HttpReply> HttpClient::Get(const Url& url, const Deadline& deadline, const Clock& clock,
                                  std::stop_token stop) {
  const Waiter waiter(deadline, clock, std::move(stop));
  auto connection = Connect(url, waiter);
  if (!connection.ok()) return std::move(connection).error();
  std::string request = "GET " + url.target + " HTTP/1.1\r\nHost: " + url.Authority() + "\r\n";
  if (!options_.user_agent.empty()) request += "User-Agent: " + options_.user_agent + "\r\n";
  if (!options_.accept.empty()) request += "Accept: " + options_.accept + "\r\n";
  request += "Accept-Encoding: identity\r\nConnection: close\r\n\r\n";
  if (Status status = (*connection)->WriteAll(request); !status.ok()) {
    return std::move(status).error();
  }
  ResponseReader reader(options_.max_body);
  std::vector<char> buffer(16 * 1024);
  for (;;) {
    const auto got = (*connection)->Read(buffer);
    if (!got.ok()) return got.error();
    if (*got == 0) {
      if (Status status = reader.End(); !status.ok()) return std::move(status).error();
      return reader.Take();
    }
    const auto whole = reader.Feed({buffer.data(), *got});
    if (!whole.ok()) return whole.error();
    if (*whole) return reader.Take();
  }
}

}  // namespace spire_exporter
