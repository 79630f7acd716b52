// A key manager for real SPIRE servers, as they run external plugins: SPIRE starts it, and finds it
// by the line that it prints.
//   lab-key-manager SOCKET MOOD_FILE
#include <grpcpp/grpcpp.h>

#include <cstdlib>
#include <future>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "tests/fakes/keymanager/init.pb.h"
#include "tests/fakes/keymanager/key_manager.grpc.pb.h"
#include "tests/fakes/keymanager/lab_keys.h"
#include "tests/fakes/keymanager/plugin_host.grpc.pb.h"

namespace spire_exporter::fakes {
namespace {

namespace keys_wire = ::spire::plugin::server::keymanager::v1;
using grpc::ServerContext;

constexpr int kP256 = 1;
constexpr int kP384 = 2;

grpc::Status StatusOf(const Error& error) {
  return {static_cast<grpc::StatusCode>(error.code), error.what};
}

void Show(const LabPublicKey& key, keys_wire::PublicKey* shown) {
  shown->set_id(key.id);
  shown->set_type(key.curve == Curve::kP256 ? kP256 : kP384);
  shown->set_pkix_data(key.pkix);
  shown->set_fingerprint(key.fingerprint);
}

class KeyService final : public keys_wire::KeyManager::Service {
 public:
  explicit KeyService(LabKeys* keys) : keys_(*keys) {}

  grpc::Status GenerateKey(ServerContext* /*context*/, const keys_wire::GenerateKeyRequest* request,
                           keys_wire::GenerateKeyResponse* response) override {
    if (request->key_type() != kP256 && request->key_type() != kP384) {
      return {grpc::StatusCode::UNIMPLEMENTED, "the lab's keys are on P-256 or P-384"};
    }
    const auto key = keys_.Generate(request->key_id(),
                                    request->key_type() == kP256 ? Curve::kP256 : Curve::kP384);
    if (!key.ok()) return StatusOf(key.error());
    Show(key.value(), response->mutable_public_key());
    return grpc::Status::OK;
  }

  grpc::Status GetPublicKey(ServerContext* /*context*/,
                            const keys_wire::GetPublicKeyRequest* request,
                            keys_wire::GetPublicKeyResponse* response) override {
    const auto key = keys_.Public(request->key_id());
    if (!key.ok()) return StatusOf(key.error());
    Show(key.value(), response->mutable_public_key());
    return grpc::Status::OK;
  }

  grpc::Status GetPublicKeys(ServerContext* /*context*/,
                             const keys_wire::GetPublicKeysRequest* /*request*/,
                             keys_wire::GetPublicKeysResponse* response) override {
    for (const LabPublicKey& key : keys_.All()) Show(key, response->add_public_keys());
    return grpc::Status::OK;
  }

  grpc::Status SignData(ServerContext* /*context*/, const keys_wire::SignDataRequest* request,
                        keys_wire::SignDataResponse* response) override {
    const auto made = keys_.Sign(request->key_id(), request->data());
    if (!made.ok()) return StatusOf(made.error());
    response->set_signature(made.value().signature);
    response->set_key_fingerprint(made.value().fingerprint);
    return grpc::Status::OK;
  }

 private:
  LabKeys& keys_;
};

// Answers one call with one message, whatever it is asked.
class Answer final : public grpc::ServerGenericBidiReactor {
 public:
  Answer(grpc::Status status, const std::string& message) : status_(std::move(status)) {
    if (!status_.ok()) {
      Finish(status_);
      return;
    }
    const grpc::Slice slice(message);
    bytes_ = grpc::ByteBuffer(&slice, 1);
    StartWriteAndFinish(&bytes_, grpc::WriteOptions(), status_);
  }

  void OnDone() override { delete this; }

 private:
  const grpc::Status status_;
  grpc::ByteBuffer bytes_;
};

// The host asks first which services there are.
class StartService final : public grpc::CallbackGenericService {
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    if (context->method() == "/spire.service.private.init.v1.Init/Init") {
      ::spire_exporter::wire::InitResponse response;
      response.add_plugin_service_names(keys_wire::KeyManager::service_full_name());
      return new Answer(grpc::Status::OK, response.SerializeAsString());
    }
    return new Answer({grpc::StatusCode::UNIMPLEMENTED, "not a service of this plugin"}, {});
  }
};

// The host keeps this stream for as long as it keeps the plugin.
class BrokerService final : public ::plugin::GRPCBroker::Service {
  grpc::Status StartStream(
      ServerContext* /*context*/,
      grpc::ServerReaderWriter<::plugin::ConnInfo, ::plugin::ConnInfo>* stream) override {
    ::plugin::ConnInfo offered;
    while (stream->Read(&offered)) {
    }
    return grpc::Status::OK;
  }
};

class ControllerService final : public ::plugin::GRPCController::Service {
 public:
  void WaitForShutdown() { asked_.get_future().wait(); }

 private:
  grpc::Status Shutdown(ServerContext* /*context*/, const ::plugin::Empty* /*request*/,
                        ::plugin::Empty* /*response*/) override {
    std::call_once(once_, [this] { asked_.set_value(); });
    return grpc::Status::OK;
  }

  std::once_flag once_;
  std::promise<void> asked_;
};

int Main(const std::string& socket, const std::string& mood_file) {
  LabKeys keys(mood_file);
  KeyService key_service(&keys);
  StartService start_service;
  BrokerService broker;
  ControllerService controller;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("unix:" + socket, grpc::InsecureServerCredentials());
  builder.RegisterService(&key_service);
  builder.RegisterCallbackGenericService(&start_service);
  builder.RegisterService(&broker);
  builder.RegisterService(&controller);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) {
    std::cerr << "cannot listen on " << socket << '\n';
    return 1;
  }
  // go-plugin's own protocol 1, SPIRE's 1, where it listens and what it speaks.
  std::cout << "1|1|unix|" << socket << "|grpc" << std::endl;
  controller.WaitForShutdown();
  keys.Stop();
  server->Shutdown(gpr_inf_past(GPR_CLOCK_REALTIME));
  return 0;
}

}  // namespace
}  // namespace spire_exporter::fakes

int main(int argc, char** argv) {
  const char* cookie = std::getenv("KeyManager");  // before any thread
  if (argc != 3 || cookie == nullptr || std::string_view(cookie) != "KeyManager") {
    std::cerr << "lab-key-manager SOCKET MOOD_FILE: SPIRE's servers start it\n";
    return 2;
  }
  return spire_exporter::fakes::Main(argv[1], argv[2]);
}
