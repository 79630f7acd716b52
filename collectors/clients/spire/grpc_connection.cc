#include "collectors/clients/spire/grpc_connection.h"

#include <grpc/grpc.h>
#include <grpc/support/log.h>
#include <grpc/support/time.h>
#include <grpcpp/create_channel_posix.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <utility>

#include "exporter/base/text.h"

namespace spire_exporter::spire {
namespace {

// Once, and for good. gRPC would write to standard error, past the log and whatever a peer
// provokes; and it would go with the last of its channels, which can take 10 s and come back with
// the next.
bool StartGrpc() {
  gpr_set_log_verbosity(static_cast<gpr_log_severity>(GPR_LOG_SEVERITY_ERROR + 1));
  grpc_init();
  return true;
}

// The peer's words, unless they may tell more than a log shall.
std::string Words(const std::string& message) {
  const bool names_somebody = message.find("spiffe://") != std::string::npos;
  return message.empty() || names_somebody ? std::string() : Quoted(message);
}

Status FromGrpc(Method method, const grpc::Status& status, const GrpcConnection::Limits& limits) {
  if (status.ok()) return {};
  if (limits.stop.stop_requested()) return CallError(method, Code::kCancelled, "stopped");
  const int number = static_cast<int>(status.error_code());
  const bool known = number > 0 && number <= static_cast<int>(Code::kUnauthenticated);
  Code code = known ? static_cast<Code>(number) : Code::kUnknown;
  // kCancelled is ours alone to say: a stream that the peer reset did not end because we stopped.
  if (code == Code::kCancelled) code = Code::kUnavailable;
  return CallError(method, code, Words(status.error_message()));
}

class Connection final : public GrpcConnection {
 public:
  explicit Connection(std::shared_ptr<grpc::Channel> channel) : channel_(std::move(channel)) {}

  Status Run(Method method, std::string_view request, const Limits& limits,
             const std::function<bool(std::string_view)>& take) const override;

 private:
  const std::shared_ptr<grpc::Channel> channel_;
};

Status Connection::Run(Method method, std::string_view request, const Limits& limits,
                       const std::function<bool(std::string_view)>& take) const {
  const MethodRow& row = RowOf(method);
  grpc::ClientContext context;
  if (limits.deadline) {
    const auto left = limits.deadline->Remaining(limits.clock).count();
    context.set_deadline(
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(left, GPR_TIMESPAN)));
  }
  if (row.security_header) context.AddMetadata("workload.spiffe.io", "true");

  grpc::CompletionQueue queue;
  grpc::GenericStub stub(channel_);
  const auto stream = stub.PrepareCall(&context, row.path, &queue);
  const std::stop_callback on_stop(limits.stop, [&context] { context.TryCancel(); });
  // One operation at a time; each ends by the deadline or when it is cancelled.
  void* const tag = &context;
  const auto done = [&queue] {
    void* of = nullptr;
    bool good = false;
    return queue.Next(&of, &good) && good;
  };

  stream->StartCall(tag);
  bool going = done();
  if (going) {
    const grpc::Slice bytes(request.data(), request.size());
    stream->WriteLast(grpc::ByteBuffer(&bytes, 1), grpc::WriteOptions(), tag);
    going = done();
  }
  bool enough = false;
  while (going && !enough) {
    grpc::ByteBuffer message;
    stream->Read(&message, tag);
    going = done();
    if (!going) break;
    grpc::Slice bytes;
    if (!message.DumpToSingleSlice(&bytes).ok()) break;
    enough = !take({reinterpret_cast<const char*>(bytes.begin()), bytes.size()});
  }
  if (enough) context.TryCancel();
  grpc::Status status;
  stream->Finish(&status, tag);
  done();
  queue.Shutdown();
  while (done()) {
  }
  return enough ? Status() : FromGrpc(method, status, limits);
}

}  // namespace

std::shared_ptr<GrpcConnection> GrpcConnection::Over(UniqueFd fd) {
  [[maybe_unused]] static const bool started = StartGrpc();
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMessageBytesMax);
  // A message that is unpacked has no bound: none is asked for, and none is unpacked.
  arguments.SetInt(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);  // pings, for throughput that nobody needs
  return std::make_shared<Connection>(
      grpc::CreateCustomInsecureChannelFromFd("spire", fd.Release(), arguments));
}

Result<std::string> OneMessage(
    Method method,
    const std::function<Status(const std::function<bool(std::string_view)>& take)>& run) {
  std::string answer;
  size_t messages = 0;
  const Status status = run([&](std::string_view message) {
    answer = message;
    return ++messages < 2;
  });
  if (!status.ok()) return status.error();
  if (messages != 1) return CallError(method, Code::kDataLoss, "not one answer");
  return answer;
}

Error RefusedError(Method method, Code code) {
  return CallError(
      method, code,
      code == Code::kDataLoss ? "no HTTP/2" : "a message of more than 4 MiB, or a compressed one");
}

Error CallError(Method method, Code code, std::string_view why) {
  const std::string_view path = RowOf(method).path;
  std::string what(path.substr(path.rfind('/') + 1));
  what += ": ";
  what += CodeName(code);
  if (!why.empty()) {
    what += ": ";
    what += why;
  }
  const bool retryable = code != Code::kInvalidArgument && code != Code::kUnimplemented;
  return {code, std::move(what), "", retryable};
}

}  // namespace spire_exporter::spire
