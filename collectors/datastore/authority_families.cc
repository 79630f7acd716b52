#include "collectors/datastore/authority_families.h"

#include <algorithm>
#include <array>
#include <string>

#include "collectors/datastore/authority_descriptions.h"

namespace spire_exporter::datastore {
namespace {

using namespace authority;  // NOLINT: the table of this file
using spire::AuthorityType;
using spire::Trust;
using spire::UnixTime;

constexpr const FamilyDescription* kFamilies[] = {
    &kSourceState,    &kExpiry,        &kLifetime,
    &kTainted,        &kInBundle,      &kUpstreamExpiry,
    &kPrepared,       &kPrepareAt,     &kActivateAt,
    &kOverdue,        &kJournals,      &kActiveTainted,
    &kActiveMissing,  &kRevoked,       &kUnowned,
    &kBundle,         &kSameSubject,   &kSequence,
    &kRefreshHint,    &kUpdated,       &kUnsequenced,
    &kRewinds,        &kFederated,     &kFederatedUpdated,
    &kFederatedFirst, &kFederatedLast, &kFederatedAuthorities};

double Seconds(UnixTime time) {
  return static_cast<double>(time.time_since_epoch().count());
}

double Count(size_t count) {
  return static_cast<double>(count);
}

void AddAuthority(const AuthorityVerdict& verdict, FamilyBuilder* families) {
  const spire::JournalAuthority& authority = verdict.authority;
  const std::string id = spire::ShortId(authority.id);
  const std::string row = std::to_string(verdict.row);
  const auto add = [&](const FamilyDescription& family, double value) {
    families->Add(family, {AuthorityTypeName(authority.type), SlotName(authority.slot), id, row},
                  value);
  };
  add(kExpiry, Seconds(authority.not_after));
  add(kLifetime, Count(static_cast<size_t>(
                     std::max<int64_t>(0, (authority.not_after - authority.issued_at).count()))));
  if (verdict.trust != Trust::kUnknown) {
    const bool tainted =
        verdict.trust == Trust::kTainted || verdict.trust == Trust::kUpstreamTainted;
    add(kTainted, tainted ? 1 : 0);
    add(kInBundle, verdict.trust == Trust::kAbsent ? 0 : 1);
  }
  if (verdict.upstream_not_after) add(kUpstreamExpiry, Seconds(*verdict.upstream_not_after));
}

void AddServers(const Judgement& judgement, FamilyBuilder* families) {
  families->Add(kJournals, {"live"}, Count(judgement.servers_live));
  families->Add(kJournals, {"expired"}, Count(judgement.servers_expired));
  families->Add(kJournals, {"unreadable"}, Count(judgement.servers_unreadable));
  for (const ServerVerdict& server : judgement.servers) {
    const std::string row = std::to_string(server.row);
    const std::string_view type = AuthorityTypeName(server.type);
    families->Add(kPrepared, {type, row}, server.prepared ? 1 : 0);
    families->Add(kPrepareAt, {type, row}, Seconds(server.prepare_at));
    families->Add(kActivateAt, {type, row}, Seconds(server.activate_at));
  }
}

void AddTally(std::string_view type, const TypeTally& tally, const Judgement& judgement,
              FamilyBuilder* families) {
  if (judgement.journals_known) {
    families->Add(kOverdue, {type, "prepare"}, Count(tally.prepare_overdue));
    families->Add(kOverdue, {type, "activate"}, Count(tally.activate_overdue));
  }
  if (judgement.bundle_known) {
    families->Add(kBundle, {type, "valid"}, Count(tally.valid));
    families->Add(kBundle, {type, "tainted"}, Count(tally.tainted));
    families->Add(kBundle, {type, "expired"}, Count(tally.expired));
  }
  if (judgement.journals_known && judgement.bundle_known) {
    families->Add(kActiveTainted, {type, "own"}, Count(tally.active_tainted));
    families->Add(kActiveTainted, {type, "upstream"}, Count(tally.active_upstream_tainted));
    families->Add(kActiveMissing, {type}, Count(tally.active_missing));
    families->Add(kRevoked, {type}, Count(tally.revoked));
  }
  if (judgement.unowned_known) {
    for (size_t i = 0; i < kOrigins.size(); ++i) {
      families->Add(kUnowned, {type, kOrigins[i]}, Count(tally.unowned[i]));
    }
  }
}

void AddBundle(const spire::BundleRow& row, size_t same_subject, FamilyBuilder* families) {
  families->Add(kSameSubject, {}, Count(same_subject));
  if (row.bundle->sequence_number > 0) {
    families->Add(kSequence, {}, static_cast<double>(row.bundle->sequence_number));
  }
  if (row.bundle->refresh_hint) {
    families->Add(kRefreshHint, {}, static_cast<double>(row.bundle->refresh_hint->count()));
  }
  if (row.updated_seconds) families->Add(kUpdated, {}, *row.updated_seconds);
}

void AddFederated(const FederatedVerdict& verdict, FamilyBuilder* families) {
  const std::string_view domain = verdict.trust_domain;
  if (verdict.updated_seconds) families->Add(kFederatedUpdated, {domain}, *verdict.updated_seconds);
  if (verdict.first_expiry)
    families->Add(kFederatedFirst, {domain}, Seconds(*verdict.first_expiry));
  if (verdict.last_expiry) families->Add(kFederatedLast, {domain}, Seconds(*verdict.last_expiry));
  for (const AuthorityType type : spire::kAuthorityTypes) {
    families->Add(kFederatedAuthorities, {domain, AuthorityTypeName(type)},
                  Count(verdict.authorities[static_cast<size_t>(type)]));
  }
}

}  // namespace

std::span<const FamilyDescription* const> AuthorityFamilies() {
  return kFamilies;
}

void AddAuthoritySources(const AuthoritySources& sources, FamilyBuilder* families) {
  families->AddState(kSourceState, {"ca_journals"}, sources.journals);
  families->AddState(kSourceState, {"bundles"}, sources.bundles);
}

void AddAuthorities(const spire::AuthoritySet& set, const Judgement& judgement,
                    FamilyBuilder* families) {
  const size_t shown = std::min<size_t>(judgement.authorities.size(), kAuthoritiesShown);
  for (size_t i = 0; i < shown; ++i) AddAuthority(judgement.authorities[i], families);
  if (judgement.journals_known) AddServers(judgement, families);
  for (const AuthorityType type : spire::kAuthorityTypes) {
    AddTally(AuthorityTypeName(type), judgement.types[static_cast<size_t>(type)], judgement,
             families);
  }
  if (judgement.bundle_known) AddBundle(*set.bundle, judgement.same_subject, families);
  const size_t domains = std::min(judgement.federated.size(), kTrustDomainsShown);
  for (size_t i = 0; i < domains; ++i) AddFederated(judgement.federated[i], families);
  // Without knowing which bundle is ours, nobody else's is known either.
  if (set.bundle) families->Add(kFederated, {}, Count(set.federated.size()));
}

void AddBundleWatch(const BundleWatch& watch, double created_seconds, FamilyBuilder* families) {
  if (!watch.watching()) return;
  families->Add(kUnsequenced, {}, static_cast<double>(watch.unsequenced()), created_seconds);
  families->Add(kRewinds, {}, static_cast<double>(watch.rewinds()), created_seconds);
}

}  // namespace spire_exporter::datastore
