#include "collectors/clients/spire/server_socket.h"

#include <algorithm>
#include <utility>

#include "collectors/clients/spire/read_message.h"
#include "collectors/clients/spire/server_api.pb.h"
#include "collectors/clients/spire/socket_channel.h"
#include "collectors/clients/spire/unix_time.h"

namespace spire_exporter::spire {
namespace {

constexpr size_t kServerElementsMax = 1000;
constexpr int kServing = 1;
// A page carries whole bundles: when one is too long, smaller ones are asked for.
constexpr int kPageSizes[] = {500, 50, 5};

Method MethodOf(AuthorityType type) {
  switch (type) {
    case AuthorityType::kX509:
      return Method::kX509Authorities;
    case AuthorityType::kJwt:
      return Method::kJwtAuthorities;
    case AuthorityType::kWit:
      break;
  }
  return Method::kWitAuthorities;
}

LocalAuthority ToAuthority(const wire::AuthorityStates::State& state) {
  return {state.authority_id(), ToUnixTime(state.expires_at()),
          state.upstream_authority_subject_key_id()};
}

}  // namespace

ServerSocket::ServerSocket(std::shared_ptr<Channel> channel) : channel_(std::move(channel)) {}

Result<bool> ServerSocket::Serving(const Call& call) const {
  const auto bytes = AsSocket(channel_).Ask(Method::kHealth, "", call);
  if (!bytes.ok()) return bytes.error();
  const auto message =
      ReadMessage<wire::HealthResponse>(Method::kHealth, *bytes, kServerElementsMax);
  if (!message.ok()) return message.error();
  return message->status() == kServing;
}

Result<LocalAuthorities> ServerSocket::Authorities(AuthorityType type, const Call& call) const {
  const Method method = MethodOf(type);
  const auto bytes = AsSocket(channel_).Ask(method, "", call);
  if (!bytes.ok()) return bytes.error();
  const auto message = ReadMessage<wire::AuthorityStates>(method, *bytes, kServerElementsMax);
  if (!message.ok()) return message.error();
  LocalAuthorities authorities;
  if (message->has_active()) authorities.active = ToAuthority(message->active());
  if (message->has_prepared()) authorities.prepared = ToAuthority(message->prepared());
  if (message->has_old()) authorities.old = ToAuthority(message->old());
  return authorities;
}

Result<std::vector<FederationRelationship>> ServerSocket::Federation(size_t max,
                                                                     const Call& call) const {
  constexpr Method kMethod = Method::kRelationships;
  std::vector<FederationRelationship> relationships;
  wire::RelationshipsRequest request;
  request.mutable_output_mask()->set_bundle_endpoint_profile(true);
  request.mutable_output_mask()->set_trust_domain_bundle(true);
  size_t size = 0;  // of kPageSizes
  for (;;) {
    request.set_page_size(kPageSizes[size]);
    const auto bytes = AsSocket(channel_).Ask(kMethod, request.SerializeAsString(), call);
    if (!bytes.ok()) {
      const bool smaller =
          bytes.error().code == Code::kResourceExhausted && size + 1 < std::size(kPageSizes);
      if (!smaller) return bytes.error();
      ++size;
      continue;
    }
    auto message = ReadMessage<wire::RelationshipsResponse>(kMethod, *bytes, kServerElementsMax);
    if (!message.ok()) return std::move(message).error();
    for (auto& relationship : *message->mutable_federation_relationships()) {
      if (relationships.size() >= max) {
        return CallError(kMethod, Code::kResourceExhausted, "more relationships than are read");
      }
      relationships.push_back({std::move(*relationship.mutable_trust_domain()),
                               relationship.has_https_spiffe(),
                               relationship.has_trust_domain_bundle()});
    }
    // A page without any is the last, whatever it says: a server could go on with those for ever.
    if (message->next_page_token().empty() || message->federation_relationships().empty()) {
      return relationships;
    }
    request.set_page_token(std::move(*message->mutable_next_page_token()));
  }
}

}  // namespace spire_exporter::spire
