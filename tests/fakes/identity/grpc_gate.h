// A Gate for calls of gRPC. Include it after the header that brings exporter/base/mutex.h: gRPC's
// have macros of the same names.
#ifndef TESTS_FAKES_IDENTITY_GRPC_GATE_H_
#define TESTS_FAKES_IDENTITY_GRPC_GATE_H_

#include "tests/fakes/identity/gate.h"
// Apart, so that it stays below.
#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

namespace spire_exporter::fakes {

inline grpc::Status ToGrpc(const Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return {static_cast<grpc::StatusCode>(status.error().code), status.error().what};
}

inline grpc::Status Pass(Gate& gate, const grpc::ServerContext& context) {
  return ToGrpc(gate.Pass([&context] { return context.IsCancelled(); }));
}

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_IDENTITY_GRPC_GATE_H_
