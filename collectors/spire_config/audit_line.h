// One line of SPIRE's log, and whether it is a line of the audit log.
#ifndef COLLECTORS_SPIRE_CONFIG_AUDIT_LINE_H_
#define COLLECTORS_SPIRE_CONFIG_AUDIT_LINE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace spire_exporter::spire_config {

inline constexpr std::array<std::string_view, 3> kAuditStatuses = {"success", "error", "other"};
// Who called, by what it was let in as. `anyone`: a method that needs no right, and a call that
// failed before it was let in. `other`: a word that SPIRE did not have when this was written.
inline constexpr std::array<std::string_view, 6> kAuditCallers = {"local",      "agent",  "admin",
                                                                  "downstream", "anyone", "other"};
// SPIRE's methods by their last name, which is unlike all others (those of SPIRE 1.7 to 1.15 in
// pkg/server/authpolicy/policy_data.json); `other` is what is not known.
inline constexpr auto kAuditMethods =
    std::to_array<std::string_view>({"ActivateJWTAuthority",
                                     "ActivateWITAuthority",
                                     "ActivateX509Authority",
                                     "AppendBundle",
                                     "AttestAgent",
                                     "BanAgent",
                                     "BatchCreateEntry",
                                     "BatchCreateFederatedBundle",
                                     "BatchCreateFederationRelationship",
                                     "BatchDeleteEntry",
                                     "BatchDeleteFederatedBundle",
                                     "BatchDeleteFederationRelationship",
                                     "BatchNewWITSVID",
                                     "BatchNewX509SVID",
                                     "BatchSetFederatedBundle",
                                     "BatchUpdateEntry",
                                     "BatchUpdateFederatedBundle",
                                     "BatchUpdateFederationRelationship",
                                     "CountAgents",
                                     "CountBundles",
                                     "CountEntries",
                                     "CreateJoinToken",
                                     "DeleteAgent",
                                     "GetAgent",
                                     "GetAuthorizedEntries",
                                     "GetBundle",
                                     "GetEntry",
                                     "GetFederatedBundle",
                                     "GetFederationRelationship",
                                     "GetInfo",
                                     "GetJWTAuthorityState",
                                     "GetLogger",
                                     "GetWITAuthorityState",
                                     "GetX509AuthorityState",
                                     "ListAgents",
                                     "ListEntries",
                                     "ListFederatedBundles",
                                     "ListFederationRelationships",
                                     "MintJWTSVID",
                                     "MintWITSVID",
                                     "MintX509SVID",
                                     "NewDownstreamX509CA",
                                     "NewJWTSVID",
                                     "PostStatus",
                                     "PrepareJWTAuthority",
                                     "PrepareWITAuthority",
                                     "PrepareX509Authority",
                                     "PublishJWTAuthority",
                                     "PublishWITAuthority",
                                     "RefreshBundle",
                                     "RenewAgent",
                                     "ResetLogLevel",
                                     "RevokeJWTAuthority",
                                     "RevokeWITAuthority",
                                     "RevokeX509Authority",
                                     "RevokeX509UpstreamAuthority",
                                     "SetLogLevel",
                                     "SyncAuthorizedEntries",
                                     "TaintJWTAuthority",
                                     "TaintWITAuthority",
                                     "TaintX509Authority",
                                     "TaintX509UpstreamAuthority",
                                     "other"});

struct AuditEvent {
  // Indices into kAuditMethods, kAuditStatuses, kAuditCallers.
  size_t method = 0;
  size_t status = 0;
  size_t caller = 0;
  bool operator==(const AuditEvent&) const = default;
};

enum class LineKind {
  kAudit,
  kOther,      // another line of the log
  kMalformed,  // says `audit`, and cannot be read
};

// SPIRE writes audit lines among all others, with type=audit and the message "API accessed"
// (pkg/server/api/audit), as JSON or as logrus' text, by its log_format. Values that callers choose
// are quoted there, so that none can pass for a field. Nothing of them is kept. A line without the
// word costs a search; one with it a few microseconds.
LineKind ReadAuditLine(std::string_view line, AuditEvent* event);

}  // namespace spire_exporter::spire_config

#endif  // COLLECTORS_SPIRE_CONFIG_AUDIT_LINE_H_
