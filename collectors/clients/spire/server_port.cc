#include "collectors/clients/spire/server_port.h"

#include <sys/socket.h>

#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "collectors/clients/net/waiter.h"
#include "collectors/clients/spire/grpc_connection.h"
#include "collectors/clients/spire/read_message.h"
#include "collectors/clients/spire/records.h"
#include "collectors/clients/spire/server_api.pb.h"
#include "collectors/clients/spire/socket_pair.h"
#include "collectors/clients/spire/tls_client.h"

namespace spire_exporter::spire {
namespace {

// Runs TlsClient::Relay() beside a call and ends with it.
class Relay {
 public:
  Relay(TlsClient& tls, UniqueFd end)
      : end_(std::move(end)), thread_([this, &tls] {
          MessageGuard guard(GrpcConnection::kMessageBytesMax);
          refused_ = tls.Relay(end_.get(), guard);
        }) {}
  ~Relay() { Join(); }
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  Code Join() {
    shutdown(end_.get(), SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
    return refused_;
  }

 private:
  const UniqueFd end_;
  Code refused_ = Code::kOk;  // of the thread, until it is joined
  std::thread thread_;
};

Result<std::unique_ptr<TlsClient>> Connect(const SocketAddress& address, const Waiter& waiter) {
  auto fd = Dial({address}, waiter);
  if (!fd.ok()) return std::move(fd).error();
  return TlsClient::Over(std::move(fd).value());
}

}  // namespace

std::string_view ServerStageName(ServerStage stage) {
  switch (stage) {
    case ServerStage::kName:
      return "name";
    case ServerStage::kConnect:
      return "connect";
    case ServerStage::kTls:
      return "tls";
    case ServerStage::kBundle:
      return "bundle";
    case ServerStage::kDone:
      break;
  }
  return "done";
}

HandshakeOutcome ShakeHands(const SocketAddress& address, const Call& call) {
  const Waiter waiter(call.deadline, call.clock, call.stop);
  const SteadyTime start = call.clock.Steady();
  const auto tls = Connect(address, waiter);
  if (!tls.ok()) return {ServerStage::kConnect, tls.error()};
  const SteadyTime connected = call.clock.Steady();
  if (Status status = tls.value()->Shake(waiter); !status.ok()) {
    return {ServerStage::kTls, status.error()};
  }
  Handshake handshake;
  handshake.connect = connected - start;
  handshake.handshake = call.clock.Steady() - connected;
  handshake.chain = tls.value()->Chain();
  handshake.protocol = tls.value()->Protocol();
  handshake.alpn = tls.value()->Alpn();
  tls.value()->Leave();
  return {ServerStage::kDone, std::move(handshake)};
}

Result<ServedBundle> GetBundle(const SocketAddress& address, const Call& call) {
  constexpr Method kMethod = Method::kBundle;
  const Waiter waiter(call.deadline, call.clock, call.stop);
  const auto tls = Connect(address, waiter);
  if (!tls.ok()) return tls.error();
  if (Status status = tls.value()->Shake(waiter); !status.ok()) return status.error();
  std::vector<std::string> chain = tls.value()->Chain();  // that of this handshake
  auto ends = MakeSocketPair();
  if (!ends.ok()) return std::move(ends).error();

  // gRPC's own TLS would take 3 MiB, and would not count what comes in.
  std::optional<Relay> relay;
  try {
    relay.emplace(*tls.value(), std::move(ends.value()[0]));
  } catch (const std::system_error& error) {
    return CallError(kMethod, Code::kUnavailable, std::string("thread: ") + error.what());
  }
  Result<std::string> bytes = Error{};
  {
    const auto connection = GrpcConnection::Over(std::move(ends.value()[1]));
    bytes = OneMessage(kMethod, [&](const auto& take) {
      return connection->Run(kMethod, "", {call.deadline, call.stop, call.clock}, take);
    });
  }
  const Code refused = relay->Join();
  tls.value()->Leave();
  if (!bytes.ok() && (refused == Code::kOk || bytes.error().code == Code::kCancelled)) {
    return bytes.error();
  }
  if (!bytes.ok()) return RefusedError(kMethod, refused);

  // The message is, number by number, the record that servers keep in their tables.
  auto bundle = ReadBundle(*bytes);
  if (!bundle.ok()) return std::move(bundle).error();
  auto message = ReadMessage<wire::BundleMessage>(kMethod, *bytes, kAuthoritiesMax + 1);
  if (!message.ok()) return std::move(message).error();
  ServedBundle served;
  served.bundle = std::move(bundle).value();
  for (auto& authority : *message->mutable_x509_authorities()) {
    served.certificates.push_back(std::move(*authority.mutable_asn1()));
  }
  served.chain = std::move(chain);
  return served;
}

}  // namespace spire_exporter::spire
