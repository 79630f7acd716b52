// The closed sets of labels: what findings, features and settings there are, and which plugins are
// SPIRE's own.
#ifndef COLLECTORS_SPIRE_CONFIG_CONFIG_NAMES_H_
#define COLLECTORS_SPIRE_CONFIG_CONFIG_NAMES_H_

#include <array>
#include <string_view>

namespace spire_exporter::spire_config {

inline constexpr std::array<std::string_view, 18> kRuleNames = {"admin_ids",
                                                                "audit_log_off",
                                                                "certificate_check_off",
                                                                "debug_log",
                                                                "delegates",
                                                                "experimental",
                                                                "external_plugin",
                                                                "health_off",
                                                                "insecure_bootstrap",
                                                                "join_token",
                                                                "metrics_elsewhere",
                                                                "metrics_filtered",
                                                                "metrics_off",
                                                                "profiling_on",
                                                                "rate_limit_off",
                                                                "ttl_cut_short",
                                                                "unauthenticated_verifiers",
                                                                "unknown_value"};
inline constexpr std::array<std::string_view, 13> kFeatureNames = {
    "admin_socket",        "audit_log",     "dogstatsd",   "events_based_cache",
    "federation_endpoint", "health_checks", "jwt_svids",   "prometheus",
    "prometheus_tls",      "rebootstrap",   "ro_database", "upstream_authority",
    "workload_api"};
inline constexpr std::array<std::string_view, 6> kTimeNames = {
    "agent_ttl",     "ca_ttl",           "default_jwt_svid_ttl", "default_x509_svid_ttl",
    "sync_interval", "rebootstrap_delay"};
inline constexpr std::array<std::string_view, 10> kPluginTypes = {
    "BundlePublisher",  "CredentialComposer",
    "DataStore",        "KeyManager",
    "NodeAttestor",     "Notifier",
    "SVIDStore",        "UpstreamAuthority",
    "WorkloadAttestor", "other"};
// The built-in ones of SPIRE 1.7 to 1.15 (pkg/{server,agent}/catalog).
inline constexpr std::array<std::string_view, 42> kPluginNames = {"aws_iid",
                                                                  "aws_kms",
                                                                  "aws_pca",
                                                                  "aws_rolesanywhere_trustanchor",
                                                                  "aws_s3",
                                                                  "aws_secretsmanager",
                                                                  "awssecret",
                                                                  "azure_blob",
                                                                  "azure_imds",
                                                                  "azure_key_vault",
                                                                  "azure_msi",
                                                                  "cert-manager",
                                                                  "disk",
                                                                  "docker",
                                                                  "gcp_cas",
                                                                  "gcp_cloudstorage",
                                                                  "gcp_iit",
                                                                  "gcp_kms",
                                                                  "gcp_secretmanager",
                                                                  "gcs_bundle",
                                                                  "hashicorp_vault",
                                                                  "http_challenge",
                                                                  "join_token",
                                                                  "k8s",
                                                                  "k8s_configmap",
                                                                  "k8s_psat",
                                                                  "k8s_sat",
                                                                  "k8sbundle",
                                                                  "memory",
                                                                  "slurm",
                                                                  "spire",
                                                                  "sql",
                                                                  "sshpop",
                                                                  "systemd",
                                                                  "tpm_devid",
                                                                  "uniqueid",
                                                                  "unix",
                                                                  "vault",
                                                                  "windows",
                                                                  "x509pop",

                                                                  "ejbca",
                                                                  "other"};

}  // namespace spire_exporter::spire_config

#endif  // COLLECTORS_SPIRE_CONFIG_CONFIG_NAMES_H_
