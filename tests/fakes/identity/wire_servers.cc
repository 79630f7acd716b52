#include "tests/fakes/identity/wire_servers.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "collectors/clients/spiffe/x509_svid.h"
#include "collectors/clients/spire/server_port.h"
#include "exporter/base/text.h"

namespace spire_exporter::fakes {
namespace {

Result<SocketAddress> ParseAddress(const std::string& text) {
  SocketAddress address;
  auto* const inet = reinterpret_cast<sockaddr_in*>(&address.storage);
  inet->sin_family = AF_INET;
  address.size = sizeof(sockaddr_in);
  const size_t colon = text.rfind(':');
  uint16_t port = 0;
  if (colon == std::string::npos ||
      std::from_chars(text.data() + colon + 1, text.data() + text.size(), port).ec != std::errc() ||
      ::inet_pton(AF_INET, text.substr(0, colon).c_str(), &inet->sin_addr) != 1) {
    return Error{Code::kInvalidArgument, Quoted(text) + ": expected IPV4:PORT", {}};
  }
  inet->sin_port = htons(port);
  return address;
}

}  // namespace

WireServers::WireServers(std::vector<std::string> addresses, std::string folder, const Clock& clock)
    : addresses_(std::move(addresses)), authorities_(std::move(folder)), clock_(clock) {}

Result<ReachedServer> WireServers::Reach(const std::vector<std::string>& roots, Duration timeout) {
  Error last{Code::kUnavailable, "no address of a server", {}};
  const size_t first = good_.load(std::memory_order_relaxed);
  for (size_t i = 0; i < addresses_.size(); ++i) {
    const size_t index = (first + i) % addresses_.size();
    Result<ReachedServer> reached = ReachOne(addresses_[index], roots, timeout);
    if (reached.ok()) {
      good_.store(index, std::memory_order_relaxed);
      return reached;
    }
    last = std::move(reached).error();
    // Only a server that cannot be connected to makes gRPC try another one within the call.
    if (last.code != Code::kUnavailable) return last;
  }
  return last;
}

Result<ReachedServer> WireServers::ReachOne(const std::string& address,
                                            const std::vector<std::string>& roots,
                                            Duration timeout) const {
  const Result<SocketAddress> parsed = ParseAddress(address);
  if (!parsed.ok()) return parsed.error();
  const Result<spire::ServedBundle> served = spire::GetBundle(
      parsed.value(), {Deadline::After(clock_, timeout), stop_.get_token(), clock_});
  if (!served.ok()) return served.error();
  const std::vector<std::string>& chain = served.value().chain;
  const spiffe::Verdict verdict = spiffe::VerifyX509Svid(chain, roots, clock_.System());
  if (verdict != spiffe::Verdict::kGood) {
    return Error{
        verdict == spiffe::Verdict::kUntrusted ? Code::kUnauthenticated : Code::kUnavailable,
        "the server's chain is " + std::string(spiffe::VerdictName(verdict)),
        {}};
  }
  const Result<spiffe::LeafFacts> leaf = spiffe::ReadLeaf(chain.front());
  if (!leaf.ok()) return leaf.error();
  Result<std::shared_ptr<const Authority>> authority =
      authorities_.ById(leaf.value().authority_key_id);
  if (!authority.ok()) return std::move(authority).error();
  return ReachedServer{std::move(authority).value(), served.value().certificates,
                       authorities_.Jwks()};
}

Status WireServers::Sign(const Authority& authority, Duration timeout) {
  const Signing signing = authorities_.SigningOf(authority.id());
  const bool late = signing.delay > timeout;
  std::unique_lock<std::mutex> lock(mutex_);
  const std::stop_token stop = stop_.get_token();
  wait_.wait_for(lock, stop, std::min<Duration>(signing.delay, timeout), [] { return false; });
  if (stop.stop_requested()) return Error{Code::kCancelled, "the agent ends", {}};
  if (late) return Error{Code::kDeadlineExceeded, "the key manager does not answer", {}};
  if (signing.denied) return Error{Code::kInternal, "the key manager refuses", {}};
  return {};
}

void WireServers::Stop() {
  stop_.request_stop();
}

}  // namespace spire_exporter::fakes
