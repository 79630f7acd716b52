#include "collectors/clients/workload/workload_certificates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporter/tls/test_certificates.h"

namespace spire_exporter {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;
using Problem = WorkloadSource::Problem;

// Hands messages on from the test to the thread that watches.
class Agent {
 public:
  WorkloadCertificates::Watch watch() {
    return [this](const std::stop_token& stop,
                  const std::function<void(Result<spire::X509Context>)>& handler) {
      for (;;) {
        mutex_.lock();
        changed_.wait(mutex_, stop,
                      [this]() NO_THREAD_SAFETY_ANALYSIS { return next_.has_value(); });
        std::optional<Result<spire::X509Context>> message;
        message.swap(next_);
        mutex_.unlock();
        if (!message) return;
        handler(*std::move(message));
        const MutexLock lock(mutex_);
        ++handled_;
        changed_.notify_all();
      }
    };
  }
  // Returns once it has been handled.
  void Say(Result<spire::X509Context> message) {
    mutex_.lock();
    const int before = handled_;
    next_ = std::move(message);
    changed_.notify_all();
    changed_.wait(mutex_, [&]() NO_THREAD_SAFETY_ANALYSIS { return handled_ > before; });
    mutex_.unlock();
  }

 private:
  Mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<Result<spire::X509Context>> next_ GUARDED_BY(mutex_);
  int handled_ GUARDED_BY(mutex_) = 0;
};

class WorkloadCertificatesTest : public ::testing::Test {
 protected:
  spire::X509Context Context(long valid_seconds = 3600) const {
    const TestCertificate leaf =
        MakeCertificate("leaf", "URI:spiffe://example.org/exporter", &between_, valid_seconds);
    spire::X509Context context;
    context.svids.push_back({"spiffe://example.org/exporter", DerOf(leaf) + DerOf(between_),
                             KeyDerOf(leaf), DerOf(root_), ""});
    context.federated_bundles["spiffe://partner.test"] = DerOf(partner_);
    return context;
  }

  RealClock clock_;
  const TestCertificate root_ = MakeCertificate("root", "", nullptr);
  const TestCertificate between_ = MakeCertificate("between", "", &root_, 3600, true);
  const TestCertificate partner_ = MakeCertificate("partner", "", nullptr);
  Agent agent_;
};

TEST_F(WorkloadCertificatesTest, TurnsAMessageIntoPem) {
  const Result<TlsMaterial> made = MaterialOf(Context());
  ASSERT_TRUE(made.ok()) << made.error().what;
  EXPECT_THAT(made->certificate, HasSubstr(PemOf(between_)));
  EXPECT_THAT(made->key, HasSubstr("-----BEGIN PRIVATE KEY-----\n"));
  EXPECT_EQ(made->trust_domain, "example.org");
  EXPECT_EQ(made->spiffe_roots.at("example.org"), PemOf(root_));
  EXPECT_EQ(made->spiffe_roots.at("partner.test"), PemOf(partner_));
  EXPECT_EQ(made->origin, CertificateOrigin::kWorkloadApi);
}

TEST_F(WorkloadCertificatesTest, WhatHasEndedIsStillTaken) {
  EXPECT_TRUE(MaterialOf(Context(-1)).ok());
}

TEST_F(WorkloadCertificatesTest, RefusesWhatNoServerCouldServeWith) {
  const auto error = [&](const std::function<void(spire::X509Context&)>& spoil) {
    spire::X509Context context = Context();
    spoil(context);
    const Result<TlsMaterial> made = MaterialOf(context);
    if (made.ok()) return std::string("no error");
    EXPECT_EQ(made.error().code, Code::kDataLoss);
    EXPECT_THAT(made.error().what, Not(HasSubstr("spiffe://")));
    return made.error().what;
  };
  EXPECT_THAT(error([](auto& context) { context.svids.clear(); }), HasSubstr("no SVID"));
  EXPECT_THAT(error([](auto& context) { context.svids[0].spiffe_id = "https://a"; }),
              HasSubstr("no SPIFFE ID"));
  EXPECT_THAT(error([](auto& context) { context.svids[0].chain.pop_back(); }), HasSubstr("SVID"));
  EXPECT_THAT(error([](auto& context) { context.svids[0].chain.clear(); }), HasSubstr("SVID"));
  EXPECT_THAT(error([](auto& context) { context.svids[0].bundle = "junk"; }), HasSubstr("bundle"));
  EXPECT_THAT(error([](auto& context) { context.svids[0].bundle.clear(); }), HasSubstr("bundle"));
  EXPECT_THAT(error([&](auto& context) { context.svids[0].key = KeyDerOf(root_); }),
              HasSubstr("not the key of"));
  EXPECT_THAT(error([](auto& context) { context.svids[0].key = "junk"; }), HasSubstr("key"));
  EXPECT_THAT(error([](auto& context) { context.svids[0].key.clear(); }), HasSubstr("key"));
}

TEST_F(WorkloadCertificatesTest, AFederatedBundleThatIsTornIsLeftOut) {
  spire::X509Context context = Context();
  context.federated_bundles["spiffe://torn.test"] = "junk";
  context.federated_bundles["nonsense"] = DerOf(partner_);
  // Nobody may take the place of the own trust domain.
  context.federated_bundles["spiffe://example.org"] = DerOf(partner_);
  const Result<TlsMaterial> made = MaterialOf(context);
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made->spiffe_roots.size(), 2u);
  EXPECT_EQ(made->spiffe_roots.at("example.org"), PemOf(root_));
}

TEST_F(WorkloadCertificatesTest, WaitsAndThenKeepsTheLastGood) {
  std::atomic<int> changes{0};
  WorkloadCertificates certificates(agent_.watch(), clock_, [&] { ++changes; });
  EXPECT_TRUE(certificates.waiting());
  EXPECT_EQ(certificates.Load().error().code, Code::kUnavailable);
  EXPECT_FALSE(certificates.state().received_seconds.has_value());

  agent_.Say(Error{Code::kUnavailable, "no such socket", "", true});
  EXPECT_EQ(certificates.state().problem, Problem::kUnavailable);
  EXPECT_THAT(certificates.Load().error().what, HasSubstr("no such socket"));

  agent_.Say(Context());
  EXPECT_FALSE(certificates.waiting());
  EXPECT_EQ(certificates.state().problem, Problem::kNone);
  EXPECT_NEAR(certificates.state().received_seconds.value(), UnixSeconds(clock_.System()), 5);
  const std::string first = certificates.Load()->certificate;

  agent_.Say(Error{Code::kPermissionDenied, "no identity issued", "", true});
  EXPECT_EQ(certificates.state().problem, Problem::kDenied);
  EXPECT_EQ(certificates.Load()->certificate, first);

  spire::X509Context torn = Context();
  torn.svids[0].key = "junk";
  agent_.Say(torn);
  EXPECT_EQ(certificates.state().problem, Problem::kUnusable);
  EXPECT_EQ(certificates.Load()->certificate, first);

  agent_.Say(Context());
  EXPECT_EQ(certificates.state().problem, Problem::kNone);
  EXPECT_EQ(certificates.state().error, "");
  EXPECT_NE(certificates.Load()->certificate, first);
  EXPECT_EQ(changes.load(), 5);
}

TEST_F(WorkloadCertificatesTest, WaitingForTheFirstEndsWithItAFailureOrTheDeadline) {
  WorkloadCertificates certificates(agent_.watch(), clock_, {});
  certificates.AwaitFirst(Deadline::After(clock_, 20ms), clock_, {});
  EXPECT_TRUE(certificates.waiting());
  std::stop_source stopped;
  stopped.request_stop();
  certificates.AwaitFirst(Deadline::After(clock_, 1h), clock_, stopped.get_token());
  std::jthread later([&] { agent_.Say(Context()); });
  certificates.AwaitFirst(Deadline::After(clock_, 1h), clock_, {});
  EXPECT_FALSE(certificates.waiting());
}

}  // namespace
}  // namespace spire_exporter
