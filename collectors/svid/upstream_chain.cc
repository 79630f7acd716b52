#include "collectors/svid/upstream_chain.h"

#include <algorithm>
#include <array>
#include <optional>

#include "collectors/clients/spiffe/x509_svid.h"
#include "collectors/svid/seconds_of.h"
#include "collectors/svid/trust_roots.h"

namespace spire_exporter::svid {
namespace {

constexpr Duration kPeriod = std::chrono::minutes(1);
constexpr Duration kUpstreamAge = std::chrono::minutes(5);
constexpr std::string_view kFromFile = "svid.upstream_chain_file";
constexpr std::array<std::string_view, 4> kStates = {"ok", "denied", "unavailable", "malformed"};
constexpr std::array kState = {LabelDescription{"state", "whether it could be read", kStates}};

constexpr FamilyDescription kFileState{.name = "spire_upstream_chain_state",
                                       .type = MetricType::kStateSet,
                                       .labels = kState,
                                       .help = "How the file with the chain above SPIRE is.",
                                       .source = kFromFile,
                                       .series_max = static_cast<uint32_t>(kStates.size()),
                                       .age_max = kUpstreamAge};
constexpr FamilyDescription kUpstreamExpiry{
    .name = "spire_upstream_chain_expiry_timestamp_seconds",
    .unit = "seconds",
    .help = "When the first certificate of the chain above SPIRE ends.",
    .source = kFromFile,
    .age_max = kUpstreamAge};
constexpr FamilyDescription kUpstreamNotBefore{
    .name = "spire_upstream_chain_not_before_timestamp_seconds",
    .unit = "seconds",
    .help = "When the certificate of the chain above SPIRE that ends first begins.",
    .source = kFromFile,
    .age_max = kUpstreamAge};
constexpr const FamilyDescription* kUpstreamFamilies[] = {&kFileState, &kUpstreamExpiry,
                                                          &kUpstreamNotBefore};

struct UpstreamChain {
  RootsState state = RootsState::kUnavailable;
  size_t certificates = 0;
  std::optional<spiffe::LeafFacts> first;  // to end
};

UpstreamChain ReadUpstreamChain(const std::string& file) {
  const TrustedRoots read = ReadBootstrapBundle(file);
  UpstreamChain chain{read.state, read.certificates.size(), {}};
  for (const std::string& certificate : read.certificates) {
    const auto facts = spiffe::ReadLeaf(certificate);
    if (!facts.ok()) return {RootsState::kMalformed, 0, {}};
    if (!chain.first || facts->not_after < chain.first->not_after) chain.first = *facts;
  }
  return chain;
}

class UpstreamChainCollector final : public Collector {
 public:
  explicit UpstreamChainCollector(const std::string& file) : file_(file) {}

  std::string_view Name() const override { return "svid"; }
  std::string_view Target() const override { return "upstream_chain"; }
  std::string Fingerprint() const override { return file_; }
  Duration Period() const override { return kPeriod; }
  Duration Timeout() const override { return std::chrono::seconds(5); }

  Result<Reading> Collect(const CollectContext&) override {
    Reading reading;
    const UpstreamChain chain = ReadUpstreamChain(file_);
    reading.families.AddState(kFileState, {}, RootsStateName(chain.state));
    if (chain.state != RootsState::kOk) {
      reading.problem =
          Error{Code::kFailedPrecondition,
                "the chain's file: " + std::string(RootsStateName(chain.state)), "", true};
    } else if (chain.first) {
      reading.families.Add(kUpstreamExpiry, {}, SecondsOf(chain.first->not_after));
      reading.families.Add(kUpstreamNotBefore, {}, SecondsOf(chain.first->not_before));
    }
    return reading;
  }

 private:
  const std::string file_;
};

}  // namespace

std::span<const FamilyDescription* const> UpstreamChainFamilies() {
  return kUpstreamFamilies;
}

std::unique_ptr<Collector> MakeUpstreamChainCollector(const std::string& file) {
  return std::make_unique<UpstreamChainCollector>(file);
}

CheckLine CheckUpstreamChain(const std::string& file, SystemTime now) {
  CheckLine line{"svid upstream_chain " + file, false, "", ""};
  const UpstreamChain chain = ReadUpstreamChain(file);
  switch (chain.state) {
    case RootsState::kOk:
      break;
    case RootsState::kDenied:
      line.detail = "no right to read it";
      line.remedy = "let this process read the file";
      return line;
    case RootsState::kUnavailable:
      line.detail = "it cannot be read";
      line.remedy = "mount the file, or correct svid.upstream_chain_file";
      return line;
    case RootsState::kMalformed:
      line.detail = "not all in it is certificates as PEM, or it is longer than 512 KiB";
      line.remedy = "give svid.upstream_chain_file the chain alone";
      return line;
  }
  const std::string number = std::to_string(chain.certificates) +
                             (chain.certificates == 1 ? " certificate" : " certificates");
  if (chain.first && chain.first->not_after <= now) {
    line.detail = "of " + number + " one has ended";
    line.remedy = "renew the authority above SPIRE";
    return line;
  }
  line.good = true;
  line.detail = number;
  return line;
}

}  // namespace spire_exporter::svid
