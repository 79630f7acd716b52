// A byte stream to a peer, plain or under TLS, every step within the waiter's deadline.
#ifndef COLLECTORS_CLIENTS_HTTP_CONNECTION_H_
#define COLLECTORS_CLIENTS_HTTP_CONNECTION_H_

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "collectors/clients/net/waiter.h"
#include "exporter/base/result.h"
#include "exporter/base/unique_fd.h"

namespace spire_exporter {

// Used by one thread.
class Connection {
 public:
  virtual ~Connection() = default;

  virtual Status WriteAll(std::string_view bytes) = 0;
  // At least one byte; 0 is an orderly end. A reset is kUnavailable.
  virtual Result<size_t> Read(std::span<char> into) = 0;

 protected:
  Connection() = default;
  Connection(const Connection&) = default;
  Connection& operator=(const Connection&) = default;
};

// Owns the socket; `waiter` outlives it.
std::unique_ptr<Connection> MakePlainConnection(UniqueFd fd, const Waiter& waiter);

}  // namespace spire_exporter

#endif  // COLLECTORS_CLIENTS_HTTP_CONNECTION_H_
