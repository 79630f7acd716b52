// A process that gets no more threads: its calls fail, and it goes on.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "collectors/clients/spire/server_port.h"
#include "collectors/clients/spire/test_rpc_server.h"
#include "collectors/clients/spire/test_tls_server.h"
#include "collectors/clients/spire/workload_api.h"
#include "exporter/tls/test_certificates.h"

namespace spire_exporter::spire {
namespace {

using std::chrono::seconds;

bool& NoneLeft() {
  static thread_local bool none_left = false;  // for this thread to start
  return none_left;
}

struct NoMoreThreads {
  NoMoreThreads() { NoneLeft() = true; }
  ~NoMoreThreads() { NoneLeft() = false; }
  NoMoreThreads(const NoMoreThreads&) = delete;
  NoMoreThreads& operator=(const NoMoreThreads&) = delete;
};

template <auto kEncode, typename Thing>
std::string Encode(const Thing& thing) {
  unsigned char* der = nullptr;
  const int size = kEncode(thing.get(), &der);
  std::string out(reinterpret_cast<char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return out;
}

TEST(NoThreadWireTest, AServersPortIsUnavailable) {
  const TestCertificate made =
      MakeCertificate("server", "URI:spiffe://example.org/spire/server", nullptr);
  TestRpcs rpcs;
  rpcs.bundle = [](auto*, auto&, auto*) { return grpc::Status::OK; };
  const auto rpc = TestRpcServer::Start(std::move(rpcs), "");
  const auto tls =
      TestTlsServer::Start({{Encode<i2d_X509>(made.certificate)}, Encode<i2d_PrivateKey>(made.key)},
                           [&](int fd) { rpc->Serve(fd); });
  const RealClock clock;
  const Call call{Deadline::After(clock, seconds(20)), {}, clock};
  {
    const NoMoreThreads none;
    const auto served = GetBundle(tls->Address(), call);
    ASSERT_FALSE(served.ok());
    EXPECT_EQ(served.error().code, Code::kUnavailable);
    EXPECT_THAT(served.error().what, testing::HasSubstr("thread"));
  }
  EXPECT_TRUE(GetBundle(tls->Address(), call).ok());
}

TEST(NoThreadWireTest, ASocketIsUnavailable) {
  const std::string path =
      std::filesystem::temp_directory_path() / ("no-thread-" + std::to_string(getpid()) + ".sock");
  TestRpcs rpcs;
  rpcs.x509_bundles = [](auto*, auto* writer) {
    writer->Write({});
    return grpc::Status::OK;
  };
  const auto rpc = TestRpcServer::Start(std::move(rpcs), path);
  const WorkloadApi api(*Channel::ToSocket(path));
  const RealClock clock;
  const Call call{Deadline::After(clock, seconds(20)), {}, clock};
  {
    const NoMoreThreads none;
    const auto bundles = api.FetchX509Bundles(call);
    ASSERT_FALSE(bundles.ok());
    EXPECT_EQ(bundles.error().code, Code::kUnavailable);
    EXPECT_THAT(bundles.error().what, testing::HasSubstr("thread"));
  }
  EXPECT_TRUE(api.FetchX509Bundles(call).ok());
}

}  // namespace
}  // namespace spire_exporter::spire

// In the place of libc's.
extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                              void* (*start)(void*), void* argument) {
  static const auto real =
      reinterpret_cast<decltype(&pthread_create)>(dlsym(RTLD_NEXT, "pthread_create"));
  if (spire_exporter::spire::NoneLeft()) return EAGAIN;
  return real(thread, attributes, start, argument);
}
