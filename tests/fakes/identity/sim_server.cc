#include "tests/fakes/identity/sim_server.h"

#include <utility>

namespace spire_exporter::fakes {

using std::chrono::seconds;
using std::chrono::sys_seconds;

SimServer::SimServer(SimServerOptions options, const Clock& clock, Issued issued)
    : options_(std::move(options)),
      clock_(clock),
      issued_(std::move(issued)),
      authorities_(options_.folder) {}

Result<std::unique_ptr<SimServer>> SimServer::Start(SimServerOptions options, const Clock& clock,
                                                    Issued issued) {
  std::unique_ptr<SimServer> server(new SimServer(std::move(options), clock, std::move(issued)));
  const Status status = server->Begin();
  if (!status.ok()) return status.error();
  return server;
}

sys_seconds SimServer::Now() const {
  return std::chrono::floor<seconds>(clock_.System());
}

Status SimServer::Begin() {
  Result<std::shared_ptr<const Authority>> kept = authorities_.Active(options_.name);
  // What cannot be read is lost, like keys; and so is what has ended.
  if (kept.ok() && kept.value()->not_after() > Now()) {
    active_ = std::move(kept).value();
  } else {
    Result<std::shared_ptr<const Authority>> made = Make();
    if (!made.ok()) return std::move(made).error();
    active_ = std::move(made).value();
    const Status status = authorities_.Activate(options_.name, *active_);
    if (!status.ok()) return status;
  }
  Status status = SetSigning({});
  if (!status.ok()) return status;
  own_ = active_->SignServer(Now(), options_.svid_ttl);
  Result<std::unique_ptr<FakeServerPort>> port =
      FakeServerPort::Start(options_.listen, own_, Bundle());
  if (!port.ok()) return std::move(port).error();
  port_ = std::move(port).value();
  issued_("server", own_.spiffe_id, own_.not_after);
  next_ = clock_.Steady() + seconds(1);
  return {};
}

Result<std::shared_ptr<const Authority>> SimServer::Make() {
  auto made = std::make_shared<const Authority>(AuthorityOptions{
      .trust_domain = options_.trust_domain, .now = Now(), .ttl = options_.ca_ttl});
  const Status status = authorities_.Add(*made);
  if (!status.ok()) return status.error();
  issued_("ca", made->id(), made->not_after());
  return std::shared_ptr<const Authority>(made);
}

BundleAnswer SimServer::Bundle() const {
  const std::vector<std::shared_ptr<const Authority>> all = authorities_.All();
  std::vector<const Authority*> authorities;
  for (const auto& authority : all) authorities.push_back(authority.get());
  BundleAnswer answer = BundleAnswer::Of(authorities);
  answer.sequence_number = all.size();
  return answer;
}

Status SimServer::Step() {
  if (clock_.Steady() < next_) return {};
  next_ = clock_.Steady() + seconds(1);
  const Status status = Rotate();
  if (!status.ok()) return status;
  if (Now() >= own_.not_before + (own_.not_after - own_.not_before) / 2) RenewOwn();
  port_->Serve(Bundle());
  return authorities_.WriteBundle();
}

Status SimServer::Rotate() {
  const seconds left = active_->not_after() - Now();
  if (!prepared_ && left <= options_.ca_ttl / 2) {
    Result<std::shared_ptr<const Authority>> made = Make();
    if (!made.ok()) return std::move(made).error();
    prepared_ = std::move(made).value();
  }
  if (!prepared_ || left > options_.ca_ttl / 6) return {};
  active_ = std::exchange(prepared_, nullptr);
  const Status status = authorities_.Activate(options_.name, *active_);
  if (!status.ok()) return status;
  RenewOwn();
  return authorities_.SetSigning(active_->id(), signing_);
}

void SimServer::RenewOwn() {
  own_ = active_->SignServer(Now(), options_.svid_ttl);
  port_->Show(own_);
  issued_("server", own_.spiffe_id, own_.not_after);
}

void SimServer::SetDatabase(DatabaseMood mood) {
  port_->HangBundle(mood == DatabaseMood::kHung);
  port_->FailBundle(mood == DatabaseMood::kDown ? Code::kInternal : Code::kOk,
                    "failed to fetch bundle: datastore-sql: connection refused");
}

Status SimServer::SetSigning(const Signing& signing) {
  signing_ = signing;
  return authorities_.SetSigning(active_->id(), signing);
}

}  // namespace spire_exporter::fakes
