// The families of the authorities.
#ifndef COLLECTORS_DATASTORE_AUTHORITY_FAMILIES_H_
#define COLLECTORS_DATASTORE_AUTHORITY_FAMILIES_H_

#include <optional>
#include <span>
#include <string_view>

#include "collectors/clients/spire/authority_set.h"
#include "collectors/datastore/authority_judge.h"
#include "exporter/metrics/family.h"

namespace spire_exporter::datastore {

std::span<const FamilyDescription* const> AuthorityFamilies();

// How the two tables could be read: ok; partial, a row or an authority cannot be read or there are
// more than are read; empty; no_own, no bundle is known to be our own; no_table; no_right; locked;
// busy; timeout; unreachable; failed.
struct AuthoritySources {
  std::string_view journals;
  std::string_view bundles;
};
void AddAuthoritySources(const AuthoritySources& sources, FamilyBuilder* families);

// What is known of them; what is not is left out.
void AddAuthorities(const spire::AuthoritySet& set, const Judgement& judgement,
                    FamilyBuilder* families);
// Since `created_seconds`; nothing before a numbered bundle was seen.
void AddBundleWatch(const BundleWatch& watch, double created_seconds, FamilyBuilder* families);

}  // namespace spire_exporter::datastore

#endif  // COLLECTORS_DATASTORE_AUTHORITY_FAMILIES_H_
