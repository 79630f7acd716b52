// A SPIRE server as whoever reaches its TCP port without any right sees it.
#ifndef TESTS_FAKES_IDENTITY_SERVER_PORT_H_
#define TESTS_FAKES_IDENTITY_SERVER_PORT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "exporter/base/result.h"
#include "tests/fakes/identity/authority.h"
#include "tests/fakes/identity/wire_front.h"

namespace spire_exporter::fakes {

// What GetBundle answers. A value type.
struct BundleAnswer {
  struct X509 {
    std::string der;
    bool tainted = false;
  };
  struct Jwt {
    std::string key_id;
    std::chrono::sys_seconds not_after;
    bool tainted = false;
  };
  std::string trust_domain = "example.org";
  std::vector<X509> x509;
  std::vector<Jwt> jwt;
  std::chrono::seconds refresh_hint{300};
  uint64_t sequence_number = 1;
  size_t padding = 0;  // bytes of a certificate that is none, to make the message long

  // The roots and the keys of these authorities, in that order.
  static BundleAnswer Of(const std::vector<const Authority*>& authorities);
};

// TLS with the SVID given, no client certificate asked for, GetBundle for everybody, every other
// method kPermissionDenied. Runs until it goes; its methods are safe from any thread.
//
//   const Authority authority({.now = now});
//   auto port = FakeServerPort::Start("127.0.0.1:0", authority.SignServer(now, 1h),
//                                     BundleAnswer::Of({&authority}));
//   GetBundle(port.value()->address());
class FakeServerPort {
 public:
  static Result<std::unique_ptr<FakeServerPort>> Start(const std::string& address,
                                                       const Svid& identity, BundleAnswer bundle);
  ~FakeServerPort();

  // `127.0.0.1:1234`
  const std::string& address() const { return front_->address(); }
  uint16_t port() const;

  // From the next connection on: another SVID, perhaps of another authority.
  void Show(const Svid& identity) { front_->SpeakTls(identity); }
  void Serve(BundleAnswer bundle);
  // GetBundle fails that way, with SPIRE's kind of message; kOk ends it.
  void FailBundle(Code code, const std::string& message = "");
  // GetBundle gets no answer, as beside a hung database. Ends with false, at the latest with this.
  void HangBundle(bool hang);
  // Below gRPC: Fail(), CutAfter(), Disconnect().
  WireFront& wire() { return *front_; }

  // How any method of gRPC's is answered, asked with no bytes and without the wire.
  Code Ask(const std::string& method);

  uint64_t bundles_asked() const;
  uint64_t denied() const;

 private:
  struct Service;
  FakeServerPort();

  std::unique_ptr<Service> service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<WireFront> front_;
};

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_IDENTITY_SERVER_PORT_H_
