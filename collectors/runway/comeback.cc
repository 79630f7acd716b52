#include "collectors/runway/comeback.h"

#include <algorithm>

namespace spire_exporter::runway {

std::optional<bool> CanReattest(std::string_view attestor) {
  for (const std::string_view name : {"k8s_psat", "sshpop", "tpm_devid", "x509pop"}) {
    if (attestor == name) return true;
  }
  // Trust on first use.
  for (const std::string_view name : {"aws_iid", "azure_msi", "gcp_iit", "join_token", "k8s_sat"}) {
    if (attestor == name) return false;
  }
  return std::nullopt;
}

Comeback JudgeComeback(const spire::ServersFact* servers, const spire::SpireConfigFact* config,
                       std::optional<bool> svid_ended, bool not_issuing) {
  Comeback comeback;
  const auto mark = [&](Reason reason) { comeback.reasons[static_cast<size_t>(reason)] = true; };
  bool attests_anew = svid_ended == true;
  if (servers == nullptr) {
    mark(Reason::kUnknown);
  } else {
    if (servers->serving == 0) {
      mark(Reason::kNoServer);
    } else if (not_issuing) {
      mark(Reason::kNotIssuing);
    }
    const std::optional<bool> held = servers->held_bundle_verifies;
    const std::optional<bool> bootstrap = servers->bootstrap_bundle_verifies;
    if (bootstrap == false) mark(Reason::kBootstrapBundle);
    if (held == false) {
      const std::optional<std::string> rebootstrap =
          config == nullptr ? std::nullopt : config->rebootstrap;
      if (!rebootstrap || *rebootstrap == "never") {
        mark(Reason::kBundle);
        if (rebootstrap) mark(Reason::kRebootstrapOff);
      } else {
        // To fetch another bundle is to attest again, also while its SVID lives.
        attests_anew = true;
        if (!bootstrap) mark(Reason::kUnknown);
      }
    } else if (!held && !bootstrap && servers->serving > 0) {
      mark(Reason::kUnknown);
    }
  }
  if (attests_anew || !svid_ended) {
    std::optional<bool> again;
    if (config != nullptr) again = CanReattest(config->node_attestor);
    if (attests_anew && again == false) {
      if (svid_ended == true) mark(Reason::kSvidEnded);
      mark(Reason::kAttestor);
    } else if (!again.value_or(false)) {
      mark(Reason::kUnknown);
    }
  }
  const bool any_no = std::any_of(comeback.reasons.begin(), comeback.reasons.end() - 1,
                                  [](bool reason) { return reason; });
  comeback.state = any_no ? "no" : comeback.Has(Reason::kUnknown) ? "unknown" : "yes";
  return comeback;
}

}  // namespace spire_exporter::runway
