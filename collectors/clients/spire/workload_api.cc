#include "collectors/clients/spire/workload_api.h"

#include <utility>

#include "collectors/clients/net/waiter.h"
#include "collectors/clients/spire/read_message.h"
#include "collectors/clients/spire/socket_channel.h"
#include "collectors/clients/spire/workload.pb.h"
#include "exporter/base/backoff.h"

namespace spire_exporter::spire {
namespace {

// SVIDs, or bundles of trust domains.
constexpr size_t kWorkloadElementsMax = 1000;
constexpr Duration kBackoffFirst = std::chrono::milliseconds(100);
constexpr Duration kBackoffMax = std::chrono::seconds(30);

template <typename Entries>
std::map<std::string, std::string> ByName(const Entries& entries) {
  std::map<std::string, std::string> bundles;
  for (const auto& entry : entries) bundles[entry.trust_domain()] = entry.bundle();
  return bundles;
}

Result<X509Context> ReadX509(std::string_view bytes) {
  auto message =
      ReadMessage<wire::X509SvidResponse>(Method::kFetchX509Svid, bytes, kWorkloadElementsMax);
  if (!message.ok()) return std::move(message).error();
  if (message->svids().empty()) {
    return CallError(Method::kFetchX509Svid, Code::kDataLoss, "an answer without an SVID");
  }
  X509Context context;
  for (auto& svid : *message->mutable_svids()) {
    context.svids.push_back({std::move(*svid.mutable_spiffe_id()),
                             std::move(*svid.mutable_x509_svid()),
                             std::move(*svid.mutable_x509_svid_key()),
                             std::move(*svid.mutable_bundle()), std::move(*svid.mutable_hint())});
  }
  context.federated_bundles = ByName(message->federated_bundles());
  return context;
}

// The first message of a stream.
Result<std::string> First(const std::shared_ptr<Channel>& channel, Method method,
                          const Call& call) {
  std::optional<std::string> first;
  const Status status = AsSocket(channel).Run(method, "", {call.deadline, call.stop, call.clock},
                                              [&first](std::string_view message) {
                                                first = message;
                                                return false;
                                              });
  if (!status.ok()) return status.error();
  if (!first) return CallError(method, Code::kDataLoss, "a stream that ended without a message");
  return std::move(*first);
}

template <typename Response>
Result<std::map<std::string, std::string>> FetchBundles(const std::shared_ptr<Channel>& channel,
                                                        Method method, const Call& call) {
  const auto bytes = First(channel, method, call);
  if (!bytes.ok()) return bytes.error();
  auto message = ReadMessage<Response>(method, *bytes, kWorkloadElementsMax);
  if (!message.ok()) return std::move(message).error();
  return ByName(message->bundles());
}

}  // namespace

WorkloadApi::WorkloadApi(std::shared_ptr<Channel> channel) : channel_(std::move(channel)) {}

Result<X509Context> WorkloadApi::FetchX509Svid(const Call& call) const {
  const auto bytes = First(channel_, Method::kFetchX509Svid, call);
  if (!bytes.ok()) return bytes.error();
  return ReadX509(*bytes);
}

Result<std::map<std::string, std::string>> WorkloadApi::FetchX509Bundles(const Call& call) const {
  return FetchBundles<wire::X509BundlesResponse>(channel_, Method::kFetchX509Bundles, call);
}

Result<std::map<std::string, std::string>> WorkloadApi::FetchJwtBundles(const Call& call) const {
  return FetchBundles<wire::JwtBundlesResponse>(channel_, Method::kFetchJwtBundles, call);
}

Result<std::vector<JwtSvid>> WorkloadApi::FetchJwtSvid(const std::string& audience,
                                                       const std::string& spiffe_id,
                                                       const Call& call) const {
  constexpr Method kMethod = Method::kFetchJwtSvid;
  wire::JwtSvidRequest request;
  request.add_audience(audience);
  request.set_spiffe_id(spiffe_id);
  const auto bytes = AsSocket(channel_).Ask(kMethod, request.SerializeAsString(), call);
  if (!bytes.ok()) return bytes.error();
  auto message = ReadMessage<wire::JwtSvidResponse>(kMethod, *bytes, kWorkloadElementsMax);
  if (!message.ok()) return std::move(message).error();
  if (message->svids().empty()) {
    return CallError(kMethod, Code::kDataLoss, "an answer without an SVID");
  }
  std::vector<JwtSvid> svids;
  for (auto& svid : *message->mutable_svids()) {
    svids.push_back({std::move(*svid.mutable_spiffe_id()), std::move(*svid.mutable_svid()),
                     std::move(*svid.mutable_hint())});
  }
  return svids;
}

void WorkloadApi::WatchX509Svid(std::stop_token stop, const Clock& clock,
                                const std::function<void(Result<X509Context>)>& handler) const {
  constexpr Method kMethod = Method::kFetchX509Svid;
  Backoff backoff(kBackoffFirst, kBackoffMax,
                  static_cast<uint64_t>(clock.Steady().time_since_epoch().count()));
  while (!stop.stop_requested()) {
    const Status status = AsSocket(channel_).Run(kMethod, "", {std::nullopt, stop, clock},
                                                 [&](std::string_view bytes) {
                                                   auto context = ReadX509(bytes);
                                                   if (context.ok()) backoff.Reset();
                                                   handler(std::move(context));
                                                   return !stop.stop_requested();
                                                 });
    if (stop.stop_requested()) return;
    handler(status.ok() ? CallError(kMethod, Code::kUnavailable, "the stream ended")
                        : status.error());
    const Waiter waiter(Deadline::After(clock, backoff.Next()), clock, stop);
    static_cast<void>(waiter.Wait(-1, 0, "back-off"));  // ends by the deadline, or the stop
  }
}

}  // namespace spire_exporter::spire
