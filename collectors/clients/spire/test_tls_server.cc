#include "collectors/clients/spire/test_tls_server.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <thread>
#include <utility>

#include "exporter/base/unique_fd.h"

namespace spire_exporter::spire {
namespace {

const unsigned char* Bytes(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

int PickHttp2(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in,
              unsigned in_size, void*) {
  static constexpr unsigned char kHttp2[] = {2, 'h', '2'};
  unsigned char* picked = nullptr;
  if (SSL_select_next_proto(&picked, size, kHttp2, sizeof kHttp2, in, in_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *out = picked;
  return SSL_TLSEXT_ERR_OK;
}

class TlsServer final : public TestTlsServer {
 public:
  TlsServer(const TestTlsIdentity& identity, std::function<void(int)> serve)
      : context_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free), serve_(std::move(serve)) {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL's own writes raise it
    const auto check = [](bool good) {
      if (!good) throw std::runtime_error("no TLS server");
    };
    for (size_t i = 0; i < identity.chain.size(); ++i) {
      const unsigned char* at = Bytes(identity.chain[i]);
      X509* const parsed = d2i_X509(nullptr, &at, static_cast<long>(identity.chain[i].size()));
      check(parsed != nullptr);
      if (i == 0) {
        check(SSL_CTX_use_certificate(context_.get(), parsed) == 1);
        X509_free(parsed);
      } else {
        check(SSL_CTX_add_extra_chain_cert(context_.get(), parsed) == 1);  // which takes it
      }
    }
    check(UseKey(identity.key));
    SSL_CTX_set_alpn_select_cb(context_.get(), PickHttp2, nullptr);
    listener_ = UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    address_ = LoopbackAddress(0);
    check(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address_.storage), address_.size) ==
              0 &&
          listen(listener_.get(), 16) == 0 &&
          getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address_.storage),
                      &address_.size) == 0);
    thread_ = std::thread([this] { Run(); });
  }
  ~TlsServer() override {
    shutdown(listener_.get(), SHUT_RDWR);  // accept(2) returns
    thread_.join();
    for (std::thread& connection : connections_) connection.join();
  }
  SocketAddress Address() const override { return address_; }

 private:
  bool UseKey(const std::string& key) {
    const unsigned char* at = Bytes(key);
    const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> parsed(
        d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(key.size())), EVP_PKEY_free);
    return SSL_CTX_use_PrivateKey(context_.get(), parsed.get()) == 1;
  }

  void Run() {
    for (;;) {
      const int fd = accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      connections_.emplace_back([this, fd] { Talk(UniqueFd(fd)); });
    }
  }

  void Talk(UniqueFd fd) {
    const std::unique_ptr<SSL, void (*)(SSL*)> ssl(SSL_new(context_.get()), SSL_free);
    SSL_set_fd(ssl.get(), fd.get());
    if (SSL_accept(ssl.get()) != 1) return;
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) return;
    const UniqueFd end(fds[0]);
    serve_(fds[1]);
    std::array<char, 16384> buffer;
    for (;;) {
      pollfd both[] = {{fd.get(), POLLIN, 0}, {end.get(), POLLIN, 0}};
      if (SSL_pending(ssl.get()) == 0 && poll(both, 2, -1) < 0) return;
      if (both[0].revents != 0 || SSL_pending(ssl.get()) != 0) {
        const int got = SSL_read(ssl.get(), buffer.data(), static_cast<int>(buffer.size()));
        if (got <= 0) return;
        if (send(end.get(), buffer.data(), static_cast<size_t>(got), MSG_NOSIGNAL) != got) return;
      }
      if (both[1].revents != 0) {
        const ssize_t got = recv(end.get(), buffer.data(), buffer.size(), 0);
        if (got <= 0 || SSL_write(ssl.get(), buffer.data(), static_cast<int>(got)) <= 0) return;
      }
    }
  }

  const std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
  const std::function<void(int)> serve_;
  UniqueFd listener_;
  SocketAddress address_;
  std::vector<std::thread> connections_;  // of the thread
  std::thread thread_;
};

}  // namespace

std::unique_ptr<TestTlsServer> TestTlsServer::Start(TestTlsIdentity identity,
                                                    std::function<void(int fd)> serve) {
  return std::make_unique<TlsServer>(identity, std::move(serve));
}

SocketAddress LoopbackAddress(int port) {
  SocketAddress address;
  auto* const inet = reinterpret_cast<sockaddr_in*>(&address.storage);
  inet->sin_family = AF_INET;
  inet->sin_port = htons(static_cast<uint16_t>(port));
  inet->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.size = sizeof(sockaddr_in);
  return address;
}

}  // namespace spire_exporter::spire
