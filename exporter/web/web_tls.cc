#include "exporter/web/web_tls.h"

#include <array>
#include <utility>

namespace spire_exporter {
namespace {

using Problem = WorkloadSource::Problem;

constexpr std::array<std::string_view, 3> kSourceNames = {"workload_api", "fallback", "none"};
// In the order of Problem.
constexpr std::array<std::string_view, 4> kStateNames = {"ok", "unavailable", "denied", "unusable"};
constexpr std::array<LabelDescription, 1> kSourceLabel = {
    LabelDescription{"source",
                     "where the certificate that the page is served with comes from: the "
                     "Workload API, the files of spiffe.fallback, or nowhere yet",
                     kSourceNames}};
constexpr std::array<LabelDescription, 1> kStateLabel = {LabelDescription{
    "state",
    "ok; unavailable: no agent, or one that does not answer; denied: no entry is for this process; "
    "unusable: what came cannot be served with, and the last good SVID stays",
    kStateNames}};

constexpr FamilyDescription kExpiry{
    .name = "spire_exporter_web_certificate_expiry_timestamp_seconds",
    .unit = "seconds",
    .help = "When the certificate that the page is served with ends, as Unix time.",
    .source = "the certificate of tls_server_config"};
constexpr FamilyDescription kNotBefore{
    .name = "spire_exporter_web_certificate_not_before_timestamp_seconds",
    .unit = "seconds",
    .help =
        "When the certificate that the page is served with began, as Unix time: with its end, how "
        "much of its life is left.",
    .source = "the certificate of tls_server_config"};
constexpr FamilyDescription kSource{
    .name = "spire_exporter_web_certificate_source",
    .type = MetricType::kStateSet,
    .labels = kSourceLabel,
    .help = "Where the certificate that the page is served with comes from, with spiffe alone.",
    .source = "tls_server_config.spiffe",
    .series_max = 3};
constexpr FamilyDescription kReceived{
    .name = "spire_exporter_web_svid_received_timestamp_seconds",
    .unit = "seconds",
    .help = "When the Workload API last sent an SVID to serve the page with, as Unix time.",
    .source = "Workload API",
    .when_stale = WhenStale::kKept};
constexpr FamilyDescription kState{
    .name = "spire_exporter_web_svid_source_state",
    .type = MetricType::kStateSet,
    .labels = kStateLabel,
    .help = "What the Workload API that the page's SVID comes from last did.",
    .source = "Workload API",
    .series_max = 4};
constexpr std::array<const FamilyDescription*, 5> kTlsFamilies = {&kExpiry, &kNotBefore, &kSource,
                                                                  &kReceived, &kState};

std::string_view SourceName(const TlsServer::State& state) {
  if (state.generation == 0) return "none";
  return state.origin == CertificateOrigin::kFallback ? "fallback" : "workload_api";
}

std::shared_ptr<CertificateSource> FallbackOf(const SpiffeSettings& spiffe) {
  if (spiffe.fallback_certificate.empty()) return nullptr;
  TlsSettings files;
  files.certificate = spiffe.fallback_certificate;
  files.key = spiffe.fallback_key;
  files.client_ca = spiffe.fallback_client_ca;
  return std::make_shared<FileCertificates>(files);
}

}  // namespace

std::span<const FamilyDescription* const> WebTlsFamilies() {
  return kTlsFamilies;
}

Status CheckTlsFiles(const TlsSettings& settings) {
  const std::shared_ptr<CertificateSource> files =
      settings.spiffe ? FallbackOf(*settings.spiffe) : std::make_shared<FileCertificates>(settings);
  return files == nullptr ? Status() : CheckCertificates(settings, *files);
}

WebTls::WebTls(const Clock& clock, Logger& logger, MakeWorkloadSource make,
               std::function<void()> changed)
    : clock_(clock),
      logger_(logger),
      make_(std::move(make)),
      changed_(std::move(changed)),
      server_(clock) {}

Status WebTls::Apply(const TlsSettings& settings) {
  std::optional<Workload> next;
  std::shared_ptr<CertificateSource> fallback;
  if (settings.spiffe) {
    fallback = FallbackOf(*settings.spiffe);
    if (Status good = CheckTlsFiles(settings); !good.ok()) return good;
    {
      const MutexLock lock(mutex_);
      if (workload_ && workload_->socket == settings.spiffe->socket) next = workload_;
    }
    if (!next) {
      if (!make_) {
        return Error{Code::kUnimplemented, "tls_server_config.spiffe: not in this program", "",
                     false};
      }
      auto made = make_(settings.spiffe->socket, changed_);
      if (!made.ok()) return made.error();
      next = Workload{settings.spiffe->socket, *std::move(made)};
    }
  }
  std::shared_ptr<CertificateSource> source;
  if (next && fallback != nullptr) {
    source = std::make_shared<FallbackCertificates>(next->source, fallback, clock_);
  } else if (next) {
    source = next->source;
  } else {
    source = std::make_shared<FileCertificates>(settings);
  }
  if (Status applied = server_.Apply(settings, std::move(source)); !applied.ok()) return applied;
  settings_ = settings;
  fallback_ = std::move(fallback);
  checked_fallback_.reset();
  const MutexLock lock(mutex_);
  workload_.swap(next);  // the one before, if it is another, ends after the lock
  return {};
}

Status WebTls::CheckFallback() {
  if (fallback_ == nullptr) return {};
  const Result<TlsMaterial> now = fallback_->Load();
  if (!now.ok()) return now.error();
  if (checked_fallback_ == *now) return {};
  if (Status good = CheckCertificates(settings_, *fallback_); !good.ok()) return good;
  checked_fallback_ = *now;
  return {};
}

Status WebTls::Refresh() {
  Status refreshed = server_.Refresh();
  LogChange();
  return refreshed.ok() ? CheckFallback() : refreshed;
}

std::shared_ptr<WorkloadSource> WebTls::workload() const {
  const MutexLock lock(mutex_);
  return workload_ ? workload_->source : nullptr;
}

void WebTls::LogChange() {
  const std::shared_ptr<WorkloadSource> source = workload();
  if (source == nullptr) {
    logged_.reset();
    return;
  }
  const WorkloadSource::State state = source->state();
  // Before the agent has had its first say there is nothing to tell.
  if (logged_ == state.problem || (!logged_ && state.error.empty() && source->waiting())) return;
  logged_ = state.problem;
  if (state.problem == Problem::kNone) {
    logger_.Info("the page has its SVID from the Workload API");
    return;
  }
  const std::string_view then = server_.state().generation == 0
                                    ? "no handshake is answered until one comes"
                                    : "the page is served with what there is";
  logger_.Warn("no SVID for the page from the Workload API",
               {{"error", state.error}, {"then", std::string(then)}});
}

std::string WebTls::Waiting() const {
  const std::shared_ptr<WorkloadSource> source = workload();
  if (source == nullptr || server_.state().generation > 0) return {};
  const std::string error = source->state().error;
  return "the page waits for an SVID from the Workload API" + (error.empty() ? "" : ": " + error);
}

void WebTls::AddTo(FamilyBuilder& families) const {
  const TlsServer::State state = server_.state();
  if (state.generation > 0) {
    families.Add(kExpiry, {}, state.not_after_seconds);
    families.Add(kNotBefore, {}, state.not_before_seconds);
  }
  const std::shared_ptr<WorkloadSource> source = workload();
  if (source == nullptr) return;
  families.AddState(kSource, {}, SourceName(state));
  const WorkloadSource::State said = source->state();
  if (said.received_seconds) families.Add(kReceived, {}, *said.received_seconds);
  families.AddState(kState, {}, kStateNames[static_cast<size_t>(said.problem)]);
}

}  // namespace spire_exporter
