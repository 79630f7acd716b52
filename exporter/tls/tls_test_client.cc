#include "exporter/tls/tls_test_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cstdlib>

namespace spire_exporter {
namespace {

constexpr time_t kPatienceSeconds = 20;  // only a failure takes that long

UniqueFd Connect(const std::string& address) {
  const size_t colon = address.rfind(':');
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(colon + 1))));
  inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr);
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval patience{kPatienceSeconds, 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)) != 0) fd.Reset();
  return fd;
}

}  // namespace

TlsTestClient::TlsTestClient(const std::string& address, const TlsClientOptions& options)
    : fd_(Connect(address)),
      context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free),
      ssl_(nullptr, SSL_free) {
  SSL_CTX_set_security_level(context_.get(), 0);  // for the old versions that are to be refused
  SSL_CTX_set_max_proto_version(context_.get(), options.max_version);
  if (options.root != nullptr) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), options.root->certificate.get());
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
  }
  if (options.certificate != nullptr) {
    SSL_CTX_use_certificate(context_.get(), options.certificate->certificate.get());
    SSL_CTX_use_PrivateKey(context_.get(), options.certificate->key.get());
  }
  if (!options.ciphers.empty()) SSL_CTX_set_cipher_list(context_.get(), options.ciphers.c_str());
  if (!options.groups.empty()) SSL_CTX_set1_groups_list(context_.get(), options.groups.c_str());
  ssl_.reset(SSL_new(context_.get()));
  if (options.resume != nullptr) SSL_set_session(ssl_.get(), options.resume);
  if (!fd_.valid()) return;
  SSL_set_fd(ssl_.get(), fd_.get());
  connected_ = SSL_connect(ssl_.get()) == 1;
}

TlsTestClient::~TlsTestClient() {
  if (connected_) SSL_shutdown(ssl_.get());
}

int TlsTestClient::Get(const std::string& path, std::string* body, const std::string& fields) {
  if (!connected_) return 0;
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n";
  if (SSL_write(ssl_.get(), request.data(), static_cast<int>(request.size())) <= 0) return 0;
  std::string answer;
  size_t whole = std::string::npos;
  char piece[16 * 1024];
  while (answer.size() < whole) {
    const int got = SSL_read(ssl_.get(), piece, sizeof(piece));
    if (got <= 0) return 0;
    answer.append(piece, static_cast<size_t>(got));
    const size_t end = answer.find("\r\n\r\n");
    const size_t length = answer.find("Content-Length: ");
    if (end != std::string::npos && length != std::string::npos) {
      whole = end + 4 + static_cast<size_t>(std::atol(answer.c_str() + length + 16));
    }
  }
  if (body != nullptr) *body = answer.substr(answer.find("\r\n\r\n") + 4);
  return std::atoi(answer.c_str() + 9);
}

}  // namespace spire_exporter
