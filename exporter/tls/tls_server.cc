#include "exporter/tls/tls_server.h"

#include <utility>

#include "exporter/tls/tls_context.h"

namespace spire_exporter {

// What was loaded, to see whether it has changed, and what was made of it.
class TlsServer::Context {
 public:
  Context(TlsSettings settings, TlsMaterial material, std::shared_ptr<const ServerContext> context)
      : settings_(std::move(settings)),
        material_(std::move(material)),
        context_(std::move(context)) {}

  bool MadeOf(const TlsSettings& settings, const TlsMaterial& material) const {
    return settings == settings_ && material == material_;
  }
  const std::shared_ptr<const ServerContext>& get() const { return context_; }
  CertificateOrigin origin() const { return material_.origin; }

 private:
  const TlsSettings settings_;
  const TlsMaterial material_;
  const std::shared_ptr<const ServerContext> context_;
};

Status CheckCertificates(const TlsSettings& settings, CertificateSource& source) {
  const Result<TlsMaterial> material = source.Load();
  if (!material.ok()) return material.error();
  const auto made = MakeServerContext(settings, *material);
  return made.ok() ? Status() : Status(made.error());
}

TlsServer::TlsServer(const Clock& clock) : clock_(clock) {}
TlsServer::~TlsServer() = default;

Status TlsServer::Apply(const TlsSettings& settings) {
  return Apply(settings, std::make_shared<FileCertificates>(settings));
}

Status TlsServer::Apply(const TlsSettings& settings, std::shared_ptr<CertificateSource> source) {
  const MutexLock one_at_a_time(apply_mutex_);
  // Asked before, so that what comes meanwhile and is bad is not taken for nothing.
  const bool waiting = source->waiting();
  if (Status put = Put(settings, *source); !put.ok() && !waiting) return put;
  settings_ = settings;
  source_ = std::move(source);
  return {};
}

Status TlsServer::Refresh() {
  const MutexLock one_at_a_time(apply_mutex_);
  if (source_ == nullptr) return {};
  const bool waiting = source_->waiting();
  Status put = Put(settings_, *source_);
  return waiting ? Status() : put;
}

Status TlsServer::Put(const TlsSettings& settings, CertificateSource& source) {
  const auto failed = [this](const Error& error) {
    const MutexLock lock(mutex_);
    state_.refreshed = false;
    state_.error = error.ToString();
    return error;
  };
  if (const Status known = CheckTlsSettings(settings); !known.ok()) return failed(known.error());
  Result<TlsMaterial> material = source.Load();
  if (!material.ok()) return failed(material.error());
  std::shared_ptr<const Context> before;
  {
    const MutexLock lock(mutex_);
    before = context_;
  }
  std::shared_ptr<const Context> after = before;
  if (before == nullptr || !before->MadeOf(settings, *material)) {
    auto made = MakeServerContext(settings, *material);
    if (!made.ok()) return failed(made.error());
    after = std::make_shared<const Context>(settings, std::move(*material), std::move(*made));
  }
  const ValidityTime validity = ValidityOf(after->get()->ssl.get());
  const MutexLock lock(mutex_);
  if (after != before) ++state_.generation;
  state_.refreshed = true;
  state_.refreshed_seconds = UnixSeconds(clock_.System());
  state_.not_before_seconds = validity.not_before_seconds;
  state_.not_after_seconds = validity.not_after_seconds;
  state_.origin = after->origin();
  state_.error.clear();
  context_ = std::move(after);
  return {};
}

std::unique_ptr<TlsSession> TlsServer::Accept(int fd) const {
  std::shared_ptr<const Context> context;
  {
    const MutexLock lock(mutex_);
    context = context_;
  }
  return context == nullptr ? nullptr : MakeServerSession(context->get(), fd);
}

bool TlsServer::StillTrusts(TlsSession& session) const {
  std::shared_ptr<const Context> context;
  {
    const MutexLock lock(mutex_);
    context = context_;
  }
  return session.StillTrusted(context->get(), UnixSeconds(clock_.System()));
}

TlsServer::State TlsServer::state() const {
  const MutexLock lock(mutex_);
  return state_;
}

}  // namespace spire_exporter
