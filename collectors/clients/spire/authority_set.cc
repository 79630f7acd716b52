#include "collectors/clients/spire/authority_set.h"

#include <algorithm>

namespace spire_exporter::spire {
namespace {

const BundleAuthority* Find(const Bundle& bundle, AuthorityType type, const std::string& id) {
  const auto found =
      std::find_if(bundle.authorities.begin(), bundle.authorities.end(),
                   [&](const BundleAuthority& each) { return each.type == type && each.id == id; });
  return found == bundle.authorities.end() ? nullptr : &*found;
}

// A root without an id, or one that cannot be read, may be the one that is missed.
bool MayHide(const Bundle& bundle, AuthorityType type) {
  return bundle.unreadable > 0 ||
         std::any_of(bundle.authorities.begin(), bundle.authorities.end(),
                     [&](const auto& each) { return each.type == type && each.id.empty(); });
}

}  // namespace

Trust TrustOf(const JournalAuthority& authority, const Bundle& bundle) {
  if (const BundleAuthority* own = Find(bundle, authority.type, authority.id)) {
    return own->tainted ? Trust::kTainted : Trust::kTrusted;
  }
  bool present = false;
  for (const std::string& issuer : authority.issuers) {
    const BundleAuthority* const root = Find(bundle, authority.type, issuer);
    if (root == nullptr) continue;
    if (root->tainted) return Trust::kUpstreamTainted;
    present = true;
  }
  if (present) return Trust::kTrusted;
  const bool chain_tells = authority.type != AuthorityType::kX509 || authority.self_issued ||
                           !authority.chain_end.empty();
  return chain_tells && !MayHide(bundle, authority.type) ? Trust::kAbsent : Trust::kUnknown;
}

}  // namespace spire_exporter::spire
