// Over a real socket, with an agent that comes, goes and comes back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdlib>

#include "collectors/clients/workload/workload_certificates.h"
#include "exporter/tls/test_certificates.h"
#include "exporter/tls/tls_server.h"
#include "tests/fakes/workload_agent.h"

namespace spire_exporter {
namespace {

using namespace std::chrono_literals;
using Problem = WorkloadSource::Problem;

class OverSocketTest : public ::testing::Test {
 protected:
  OverSocketTest() {
    std::string pattern = "/tmp/workload-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    agent_ = WorkloadAgent::At(socket());
    Renew();
  }
  ~OverSocketTest() override {
    certificates_.reset();
    agent_->Stop();
    [[maybe_unused]] const int gone = std::system(("rm -rf " + folder_).c_str());
  }

  std::string socket() const { return folder_ + "/agent.sock"; }
  void Open() {
    auto opened = WorkloadCertificates::OverSocket("unix://" + socket(), clock_, [this] {
      const MutexLock lock(mutex_);
      ++changes_;
      changed_.notify_all();
    });
    ASSERT_TRUE(opened.ok());
    certificates_ = *std::move(opened);
  }
  void Renew() {
    const TestCertificate leaf = MakeCertificate("leaf", "URI:spiffe://example.org/us", &root_);
    agent_->Serve({"spiffe://example.org/us", DerOf(leaf), KeyDerOf(leaf), DerOf(root_)});
    latest_ = PemOf(leaf);
  }
  // Waits for changes until it holds.
  template <typename Condition>
  bool Comes(const Condition& condition) EXCLUDES(mutex_) {
    const SteadyTime give_up = clock_.Steady() + 20s;
    for (;;) {
      int seen = 0;
      {
        const MutexLock lock(mutex_);
        seen = changes_;
      }
      if (condition()) return true;
      const MutexLock lock(mutex_);
      if (!changed_.wait_until(mutex_, give_up,
                               [&]() NO_THREAD_SAFETY_ANALYSIS { return changes_ > seen; })) {
        return false;
      }
    }
  }
  bool HasLatest() {
    const Result<TlsMaterial> now = certificates_->Load();
    return now.ok() && now->certificate == latest_;
  }

  RealClock clock_;
  std::string folder_;
  const TestCertificate root_ = MakeCertificate("root", "", nullptr);
  Mutex mutex_;
  std::condition_variable_any changed_;
  int changes_ GUARDED_BY(mutex_) = 0;
  std::string latest_;
  std::unique_ptr<WorkloadAgent> agent_;
  std::shared_ptr<WorkloadCertificates> certificates_;
};

TEST_F(OverSocketTest, AnAgentMayComeLaterGoAndComeBack) {
  Open();
  EXPECT_TRUE(Comes([&] { return !certificates_->state().error.empty(); }));
  EXPECT_EQ(certificates_->state().problem, Problem::kUnavailable);
  EXPECT_TRUE(certificates_->waiting());

  agent_->Start();
  EXPECT_TRUE(Comes([&] { return HasLatest(); }));
  EXPECT_EQ(certificates_->state().problem, Problem::kNone);
  const std::string kept = certificates_->Load()->certificate;

  agent_->Stop();
  EXPECT_TRUE(Comes([&] { return certificates_->state().problem == Problem::kUnavailable; }));
  EXPECT_EQ(certificates_->Load()->certificate, kept);

  Renew();
  agent_->Start();
  EXPECT_TRUE(Comes([&] { return HasLatest(); }));
  EXPECT_EQ(certificates_->state().problem, Problem::kNone);
}

TEST_F(OverSocketTest, EveryRenewalOfAHundredReachesTheServer) {
  agent_->Start();
  Open();
  TlsSettings settings;
  settings.spiffe.emplace();
  TlsServer server(clock_);
  ASSERT_TRUE(server.Apply(settings, certificates_).ok());
  ASSERT_TRUE(Comes([&] { return HasLatest(); }));
  ASSERT_TRUE(server.Refresh().ok());
  const auto first = server.state().generation;
  for (uint64_t i = 1; i <= 100; ++i) {
    Renew();
    ASSERT_TRUE(Comes([&] { return HasLatest(); })) << i;
    ASSERT_TRUE(server.Refresh().ok());
    EXPECT_EQ(server.state().generation, first + i);
  }
}

TEST_F(OverSocketTest, RefusesWhatIsNoSocket) {
  const auto opened = WorkloadCertificates::OverSocket("tcp://127.0.0.1:1", clock_, {});
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace spire_exporter
