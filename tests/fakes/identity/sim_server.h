// What a SPIRE server does with identities: its authorities, its own SVID and its port.
#ifndef TESTS_FAKES_IDENTITY_SIM_SERVER_H_
#define TESTS_FAKES_IDENTITY_SIM_SERVER_H_

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "exporter/base/clock.h"
#include "exporter/base/result.h"
#include "tests/fakes/identity/lab_authorities.h"
#include "tests/fakes/identity/server_port.h"

namespace spire_exporter::fakes {

struct SimServerOptions {
  std::string name = "server-0";
  std::string trust_domain = "example.org";
  std::string listen;  // `127.0.0.1:8081`
  std::string folder;  // of the lab's authorities
  std::chrono::seconds svid_ttl{240};
  std::chrono::seconds ca_ttl{1440};
};

enum class DatabaseMood { kWell, kDown, kHung };

// A server that finds no active authority of its name in the folder makes one, as after the loss of
// its keys; the old one stays in the bundle. Not safe from several threads but for address().
class SimServer {
 public:
  // Called with `server` or `ca` for what is issued.
  using Issued = std::function<void(std::string_view kind, const std::string& id,
                                    std::chrono::sys_seconds not_after)>;
  static Result<std::unique_ptr<SimServer>> Start(SimServerOptions options, const Clock& clock,
                                                  Issued issued);

  // Once a second: shows the bundle as it is, renews its SVID at half life, prepares an authority
  // at half of the old one's life and signs with it from five sixths on.
  Status Step();
  SteadyTime next() const { return next_; }

  void SetDatabase(DatabaseMood mood);
  Status SetSigning(const Signing& signing);
  WireFront& wire() { return port_->wire(); }
  const std::string& address() const { return port_->address(); }
  const Authority& authority() const { return *active_; }

 private:
  SimServer(SimServerOptions options, const Clock& clock, Issued issued);
  Status Begin();
  Status Rotate();
  Result<std::shared_ptr<const Authority>> Make();
  void RenewOwn();
  BundleAnswer Bundle() const;
  std::chrono::sys_seconds Now() const;

  const SimServerOptions options_;
  const Clock& clock_;
  const Issued issued_;
  const LabAuthorities authorities_;
  Signing signing_;
  std::shared_ptr<const Authority> active_;
  std::shared_ptr<const Authority> prepared_;
  Svid own_;
  std::unique_ptr<FakeServerPort> port_;
  SteadyTime next_;
};

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_IDENTITY_SIM_SERVER_H_
