// A Channel as the clients of this folder use it.
#ifndef COLLECTORS_CLIENTS_SPIRE_SOCKET_CHANNEL_H_
#define COLLECTORS_CLIENTS_SPIRE_SOCKET_CHANNEL_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "collectors/clients/spire/call.h"
#include "collectors/clients/spire/channel.h"
#include "collectors/clients/spire/grpc_connection.h"
#include "collectors/clients/spire/guarded_relay.h"
#include "exporter/base/mutex.h"

namespace spire_exporter::spire {

class SocketChannel final : public Channel {
 public:
  explicit SocketChannel(std::string path) : path_(std::move(path)) {}

  // The one message of the answer.
  Result<std::string> Ask(Method method, std::string_view request, const Call& call);
  // GrpcConnection::Run().
  Status Run(Method method, std::string_view request, const GrpcConnection::Limits& limits,
             const std::function<bool(std::string_view)>& take);

 private:
  struct Link {
    Link(UniqueFd server, UniqueFd client, UniqueFd grpc_end);
    GuardedRelay relay;
    std::shared_ptr<GrpcConnection> connection;
  };

  // The connection there is, or a new one.
  Result<std::shared_ptr<Link>> Connect(Method method, const GrpcConnection::Limits& limits);
  // The next call makes a new one.
  void Drop(const std::shared_ptr<Link>& link);

  const std::string path_;
  Mutex mutex_;
  std::shared_ptr<Link> link_ GUARDED_BY(mutex_);
};

// What Channel::ToSocket() made: there is no other kind.
SocketChannel& AsSocket(const std::shared_ptr<Channel>& channel);

}  // namespace spire_exporter::spire

#endif  // COLLECTORS_CLIENTS_SPIRE_SOCKET_CHANNEL_H_
