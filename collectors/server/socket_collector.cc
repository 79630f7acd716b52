#include "collectors/server/socket_collector.h"

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "collectors/clients/spire/channel.h"
#include "collectors/clients/spire/server_socket.h"

namespace spire_exporter::server {
namespace {

constexpr Duration kSocketAge = std::chrono::minutes(2);
constexpr Duration kFederationPeriod = std::chrono::minutes(5);
// SPIRE logs each call of a method that it has not, and an upgrade may bring it.
constexpr auto kUnimplementedPeriod = std::chrono::hours(1);
constexpr size_t kFederationMax = 2000;
constexpr std::string_view kFromSocket = "the server's API socket";

constexpr std::array<std::string_view, 5> kStates = {"failed", "no_right", "ok", "timeout",
                                                     "unreachable"};
constexpr std::array<std::string_view, 3> kTypes = {"x509", "jwt", "wit"};
constexpr std::array<std::string_view, 3> kSlots = {"active", "prepared", "old"};
constexpr std::array<std::string_view, 2> kProfiles = {"https_spiffe", "https_web"};
constexpr std::array<std::string_view, 2> kBundles = {"held", "missing"};

constexpr LabelDescription kType{"type", "what it signs: certificates or tokens", kTypes};
constexpr LabelDescription kSlot{"slot", "what the server uses it for", kSlots};
constexpr std::array kStateLabels = {
    LabelDescription{"state", "whether it answers, and why not", kStates}};
constexpr std::array kPresentLabels = {kType, kSlot};
constexpr std::array kExpiryLabels = {
    kType, kSlot, LabelDescription{"authority", "first eight hex digits of its id"}};
constexpr std::array kFederationLabels = {
    LabelDescription{"profile", "how the other's bundle is fetched", kProfiles},
    LabelDescription{"bundle", "whether the server has the other's bundle", kBundles}};

constexpr FamilyDescription kState{.name = "spire_local_server_socket_state",
                                   .type = MetricType::kStateSet,
                                   .labels = kStateLabels,
                                   .help = "Whether the server's API socket answers.",
                                   .source = kFromSocket,
                                   .series_max = static_cast<uint32_t>(kStates.size()),
                                   .age_max = kSocketAge};
constexpr FamilyDescription kServing{
    .name = "spire_local_server_serving",
    .help = "Whether the server could read its bundle from the database when asked: 1 or 0.",
    .source = kFromSocket,
    .age_max = kSocketAge};
constexpr FamilyDescription kPresent{
    .name = "spire_local_server_authority_present",
    .labels = kPresentLabels,
    .help = "Whether this server has an authority in a slot, by its own memory: 1 or 0.",
    .source = kFromSocket,
    .series_max = static_cast<uint32_t>(kTypes.size() * kSlots.size()),
    .age_max = kSocketAge};
constexpr FamilyDescription kExpiry{
    .name = "spire_local_server_authority_expiry_timestamp_seconds",
    .unit = "seconds",
    .labels = kExpiryLabels,
    .help = "When an authority of this server ends, by its own memory.",
    .source = kFromSocket,
    .series_max = static_cast<uint32_t>(kTypes.size() * kSlots.size()),
    .age_max = kSocketAge};
constexpr FamilyDescription kFederation{
    .name = "spire_local_server_federation_relationships",
    .labels = kFederationLabels,
    .help = "Trust domains that the servers federate with, asked for each five minutes.",
    .source = kFromSocket,
    .series_max = static_cast<uint32_t>(kProfiles.size() * kBundles.size()),
    .age_max = kSocketAge};
constexpr const FamilyDescription* kSocketFamilies[] = {&kState, &kServing, &kPresent, &kExpiry,
                                                        &kFederation};

std::string_view StateOf(const Status& status) {
  if (status.ok()) return "ok";
  switch (status.error().code) {
    case Code::kPermissionDenied:
    case Code::kUnauthenticated:
      return "no_right";
    case Code::kUnavailable:
      return "unreachable";
    case Code::kDeadlineExceeded:
      return "timeout";
    default:
      return "failed";
  }
}

class SocketCollector final : public Collector {
 public:
  SocketCollector(const ServerOptions& options, std::shared_ptr<spire::Channel> channel)
      : options_(options), socket_(std::move(channel)) {}

  std::string_view Name() const override { return "server"; }
  std::string_view Target() const override { return "socket"; }
  std::string Fingerprint() const override { return options_.Fingerprint(); }
  Duration Period() const override { return options_.interval; }
  Duration Timeout() const override { return options_.timeout; }

  Result<Reading> Collect(const CollectContext& context) override {
    const spire::Call call{context.deadline, context.stop, context.clock};
    Reading reading;
    Read(call, &reading);
    if (!reading.problem.ok() && reading.problem.error().code == Code::kCancelled) {
      return reading.problem.error();
    }
    reading.families.AddState(kState, {}, StateOf(reading.problem));
    return reading;
  }

 private:
  // Memory first: a database that hangs must not hide what the server has there.
  void Read(const spire::Call& call, Reading* reading) {
    for (size_t i = 0; i < kTypes.size(); ++i) {
      if (call.clock.Steady() < ask_again_[i]) continue;
      const auto slots = socket_.Authorities(spire::kAuthorityTypes[i], call);
      if (!slots.ok() && slots.error().code == Code::kUnimplemented) {
        ask_again_[i] = call.clock.Steady() + kUnimplementedPeriod;
        continue;
      }
      if (!slots.ok()) {
        reading->problem = slots.error();
        return;
      }
      Show(kTypes[i], *slots, reading->families);
    }
    const auto serving = socket_.Serving(call);
    if (!serving.ok()) {
      reading->problem = serving.error();
      return;
    }
    reading->families.Add(kServing, {}, *serving ? 1 : 0);
    if (!*serving) return;
    reading->problem = ReadFederation(call);
    if (!federation_) return;
    for (size_t p = 0; p < kProfiles.size(); ++p) {
      for (size_t b = 0; b < kBundles.size(); ++b) {
        reading->families.Add(kFederation, {kProfiles[p], kBundles[b]},
                              static_cast<double>((*federation_)[p][b]));
      }
    }
  }

  void Show(std::string_view type, const spire::LocalAuthorities& slots, FamilyBuilder& families) {
    const std::optional<spire::LocalAuthority>* const all[] = {&slots.active, &slots.prepared,
                                                               &slots.old};
    for (size_t i = 0; i < kSlots.size(); ++i) {
      const std::optional<spire::LocalAuthority>& authority = *all[i];
      families.Add(kPresent, {type, kSlots[i]}, authority ? 1 : 0);
      if (!authority) continue;
      families.Add(kExpiry, {type, kSlots[i], spire::ShortId(authority->id)},
                   static_cast<double>(authority->expires_at.time_since_epoch().count()));
    }
  }

  Status ReadFederation(const spire::Call& call) {
    const SteadyTime now = call.clock.Steady();
    if (federation_ && now - federation_read_ < kFederationPeriod) return {};
    const auto relationships = socket_.Federation(kFederationMax, call);
    if (!relationships.ok()) {
      federation_.reset();
      return relationships.error();
    }
    federation_.emplace();
    for (const spire::FederationRelationship& one : *relationships) {
      ++(*federation_)[one.https_spiffe ? 0 : 1][one.has_bundle ? 0 : 1];
    }
    federation_read_ = now;
    return {};
  }

  const ServerOptions options_;
  const spire::ServerSocket socket_;
  // By profile and bundle.
  std::optional<std::array<std::array<uint64_t, 2>, 2>> federation_;
  SteadyTime federation_read_;
  std::array<SteadyTime, kTypes.size()> ask_again_ = {};  // by kTypes
};

}  // namespace

std::span<const FamilyDescription* const> SocketFamilies() {
  return kSocketFamilies;
}

Result<std::unique_ptr<Collector>> MakeSocketCollector(const ServerOptions& options) {
  auto channel = spire::Channel::ToSocket(options.api_socket);
  if (!channel.ok()) return std::move(channel).error();
  return std::unique_ptr<Collector>(
      std::make_unique<SocketCollector>(options, *std::move(channel)));
}

CheckLine CheckSocket(const ServerOptions& options, const Clock& clock, const Deadline& deadline) {
  CheckLine line;
  line.subject = "server API socket " + options.api_socket;
  const auto channel = spire::Channel::ToSocket(options.api_socket);
  if (!channel.ok()) {
    line.detail = channel.error().what;
    line.remedy = "set server.api_socket to the path of the server's socket, or leave it empty";
    return line;
  }
  const spire::ServerSocket socket(*channel);
  const auto slots = socket.Authorities(spire::AuthorityType::kX509, {deadline, {}, clock});
  line.good = slots.ok();
  if (slots.ok()) {
    line.detail = "answers; whoever may connect to it has full power over the trust domain";
    return line;
  }
  line.detail = slots.error().what;
  line.remedy = StateOf(slots.error()) == "no_right"
                    ? "run this process with the server's group, or leave server.api_socket empty"
                    : "mount the folder of the server's socket, or leave server.api_socket empty";
  return line;
}

}  // namespace spire_exporter::server
