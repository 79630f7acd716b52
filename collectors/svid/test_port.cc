#include "collectors/svid/test_port.h"

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "collectors/clients/spire/test_rpc_server.h"
#include "collectors/clients/spire/test_tls_server.h"

namespace spire_exporter::svid {

struct TestPort::Rest {
  explicit Rest(TestServer made) : server(std::move(made)), roots{server.root.der} {
    spire::TestRpcs rpcs;
    rpcs.bundle = [this](grpc::ServerContext* context, const auto&, auto* response) {
      return Say(context, response);
    };
    rpc = spire::TestRpcServer::Start(std::move(rpcs), "");
    tls = spire::TestTlsServer::Start({{server.leaf.der}, server.leaf.key}, [this](int fd) {
      ++handshakes;
      rpc->Serve(fd);
    });
  }

  template <typename Response>
  grpc::Status Say(grpc::ServerContext* context, Response* response) {
    ++bundles;
    switch (answer) {
      case Answer::kDatabaseDown:
        return {grpc::StatusCode::INTERNAL, "failed to fetch bundle"};
      case Answer::kNoSpire:
        return {grpc::StatusCode::UNIMPLEMENTED, "unknown service"};
      case Answer::kNothing:
        while (!context->IsCancelled()) std::this_thread::yield();
        return grpc::Status::OK;
      case Answer::kBundle:
        break;
    }
    const std::lock_guard lock(mutex);
    response->set_trust_domain(trust_domain);
    response->set_sequence_number(sequence_number);
    response->set_refresh_hint(300);
    for (const std::string& root : roots) response->add_x509_authorities()->set_asn1(root);
    response->add_jwt_authorities()->set_key_id("k1");
    return grpc::Status::OK;
  }

  const TestServer server;
  std::mutex mutex;
  std::vector<std::string> roots;  // with the mutex, and the next two
  uint64_t sequence_number = 1;
  std::string trust_domain = "example.org";
  std::atomic<Answer> answer{Answer::kBundle};
  std::atomic<int> handshakes{0};
  std::atomic<int> bundles{0};
  std::unique_ptr<spire::TestRpcServer> rpc;
  std::unique_ptr<spire::TestTlsServer> tls;
};

TestPort::TestPort(TestServer server) : rest_(std::make_unique<Rest>(std::move(server))) {}

TestPort::~TestPort() = default;

void TestPort::SetAnswer(Answer answer) {
  rest_->answer = answer;
}

void TestPort::SetRoots(const std::vector<TestServer>& servers, uint64_t sequence_number) {
  const std::lock_guard lock(rest_->mutex);
  rest_->roots.clear();
  for (const TestServer& server : servers) rest_->roots.push_back(server.root.der);
  rest_->sequence_number = sequence_number;
}

void TestPort::SetTrustDomain(const std::string& trust_domain) {
  const std::lock_guard lock(rest_->mutex);
  rest_->trust_domain = trust_domain;
}

SocketAddress TestPort::Address() const {
  return rest_->tls->Address();
}

int TestPort::handshakes() const {
  return rest_->handshakes;
}

int TestPort::bundles() const {
  return rest_->bundles;
}

const TestServer& TestPort::server() const {
  return rest_->server;
}

struct TestAgent::Rest {
  std::atomic<bool> denies{false};
  std::unique_ptr<spire::TestRpcServer> rpc;
};

namespace {

template <typename Response>
void Add(Response* response, const char* trust_domain, const std::string& bundle) {
  auto* const named = response->add_bundles();
  named->set_trust_domain(trust_domain);
  named->set_bundle(bundle);
}

}  // namespace

TestAgent::TestAgent(const std::vector<TestServer>& servers) : rest_(std::make_unique<Rest>()) {
  std::string name = (std::filesystem::temp_directory_path() / "agent_XXXXXX").string();
  folder_ = mkdtemp(name.data());
  std::string roots;
  for (const TestServer& server : servers) roots += server.root.der;
  rest_->denies = servers.empty();
  const grpc::Status denied(grpc::StatusCode::PERMISSION_DENIED, "no identity issued");
  spire::TestRpcs rpcs;
  rpcs.x509_bundles = [rest = rest_.get(), roots, denied](auto*, auto* writer) {
    if (rest->denies) return denied;
    wire::X509BundlesResponse response;
    Add(&response, "spiffe://example.org", roots);
    Add(&response, "spiffe://partner.test", roots);
    writer->Write(response);
    return grpc::Status::OK;
  };
  rpcs.x509_svid = [rest = rest_.get(), denied](auto*, auto* writer) {
    if (rest->denies) return denied;
    wire::X509SvidResponse response;
    response.add_svids()->set_spiffe_id("spiffe://example.org/ns/probe");
    writer->Write(response);
    return grpc::Status::OK;
  };
  rpcs.jwt_bundles = [rest = rest_.get(), roots, denied](auto*, auto* writer) {
    if (rest->denies) return denied;
    wire::JwtBundlesResponse response;
    Add(&response, "spiffe://example.org", R"({"keys":[{"kty":"EC","kid":"k1"}]})");
    writer->Write(response);
    return grpc::Status::OK;
  };
  rest_->rpc = spire::TestRpcServer::Start(std::move(rpcs), (folder_ / "agent.sock").string());
}

TestAgent::~TestAgent() {
  rest_.reset();
  std::filesystem::remove_all(folder_);
}

void TestAgent::Deny() {
  rest_->denies = true;
}

std::shared_ptr<spire::Channel> TestAgent::Channel() const {
  return *spire::Channel::ToSocket((folder_ / "agent.sock").string());
}

}  // namespace spire_exporter::svid
