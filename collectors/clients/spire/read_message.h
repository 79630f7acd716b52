// From the bytes of an answer to a message of ours.
#ifndef COLLECTORS_CLIENTS_SPIRE_READ_MESSAGE_H_
#define COLLECTORS_CLIENTS_SPIRE_READ_MESSAGE_H_

#include <string_view>

#include "collectors/clients/spire/grpc_connection.h"
#include "collectors/clients/spire/wire_bounds.h"

namespace spire_exporter::spire {

// kResourceExhausted for an answer of more than `elements_max` elements, kDataLoss for what is no
// `Message`.
template <typename Message>
Result<Message> ReadMessage(Method method, std::string_view bytes, size_t elements_max) {
  if (Status fits = CheckBounds("an answer", bytes, GrpcConnection::kMessageBytesMax, elements_max);
      !fits.ok()) {
    return fits.error();
  }
  Message message;
  if (message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return message;
  return CallError(method, Code::kDataLoss, "an answer that cannot be read");
}

}  // namespace spire_exporter::spire

#endif  // COLLECTORS_CLIENTS_SPIRE_READ_MESSAGE_H_
