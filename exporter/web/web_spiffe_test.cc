// The web configuration's `spiffe` as it runs: file, source, door.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <fstream>

#include "exporter/config/yaml.h"
#include "exporter/tls/fake_workload_source.h"
#include "exporter/web/web_front.h"

namespace spire_exporter {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Remembers lines and waits for them.
class WaitingLogger final : public Logger {
 public:
  bool Enabled(LogLevel) const override { return true; }
  void Write(LogLevel, std::string_view message, std::span<const LogField> fields) override
      EXCLUDES(mutex_) {
    std::string line(message);
    for (const LogField& field : fields) line += " " + std::string(field.key) + "=" + field.value;
    const MutexLock lock(mutex_);
    lines_.push_back(std::move(line));
    more_.notify_all();
  }
  // The number of lines that have `text` in them, once there is one.
  int Await(const std::string& text) EXCLUDES(mutex_) {
    mutex_.lock();
    int found = 0;
    more_.wait_for(mutex_, 20s, [&]() NO_THREAD_SAFETY_ANALYSIS {
      found = 0;
      for (const std::string& line : lines_) found += line.find(text) != std::string::npos;
      return found > 0;
    });
    mutex_.unlock();
    return found;
  }

 private:
  Mutex mutex_;
  std::condition_variable_any more_;
  std::vector<std::string> lines_ GUARDED_BY(mutex_);
};

class WebSpiffeTest : public ::testing::Test {
 protected:
  WebSpiffeTest() {
    std::string pattern = "/tmp/web-spiffe-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    WriteCertificate(backup_, folder_ + "/b.crt");
    WriteKey(backup_, folder_ + "/b.key");
  }
  ~WebSpiffeTest() override {
    [[maybe_unused]] const int gone = std::system(("rm -rf " + folder_).c_str());
  }
  void Put(const std::string& more = "", const std::string& socket = "/run/a.sock") {
    std::ofstream(folder_ + "/web.yml")
        << "tls_server_config:\n  spiffe:\n    socket_path: " << socket << "\n"
        << more;
  }
  WebFront& Front() {
    if (!front_) {
      front_ = std::make_unique<WebFront>(
          folder_ + "/web.yml", &ParseYaml, clock_, logger_,
          [this](const std::string& socket, std::function<void()> changed) {
            sockets_.push_back(socket);
            auto source = std::make_shared<FakeWorkloadSource>();
            source->OnChange(std::move(changed));
            source_ = source;
            return Result<std::shared_ptr<WorkloadSource>>(std::move(source));
          });
    }
    return *front_;
  }
  void Serve(long valid_seconds = 3600) {
    const TestCertificate svid =
        MakeCertificate("svid", "URI:spiffe://example.org/exporter", &root_, valid_seconds);
    source_->Serve(SvidMaterial(svid, root_), 1234);
  }
  // `name value`, or `name{label="..."} value`, of what is not 0.
  std::string Page() {
    FamilyBuilder builder;
    Front().AddTo(builder);
    std::string page;
    for (const Family& family : builder.Take()) {
      for (const Series& series : family.series) {
        if (series.value == 0) continue;
        page += std::string(family.description->name);
        for (size_t i = 0; i < series.labels->size(); ++i) {
          page += " " + std::string(series.labels->value(i));
        }
        page += " " + std::to_string(static_cast<long>(series.value)) + "\n";
      }
    }
    return page;
  }

  std::string folder_;
  RealClock clock_;
  WaitingLogger logger_;
  const TestCertificate root_ = MakeCertificate("root", "", nullptr);
  const TestCertificate backup_ = MakeCertificate("backup", "DNS:exporter.test", nullptr);
  std::vector<std::string> sockets_;
  std::shared_ptr<FakeWorkloadSource> source_;
  std::unique_ptr<WebFront> front_;  // goes first
};

TEST_F(WebSpiffeTest, StartsBeforeTheAgentAndSaysSo) {
  Put();
  ASSERT_TRUE(Front().Start().ok());
  EXPECT_EQ(Front().Waiting(), "the page waits for an SVID from the Workload API");
  source_->Fail(WorkloadSource::Problem::kUnavailable, "no such socket");
  EXPECT_EQ(Front().Waiting(), "the page waits for an SVID from the Workload API: no such socket");
  EXPECT_EQ(logger_.Await("no SVID for the page"), 1);
  EXPECT_THAT(Page(), AllOf(HasSubstr("web_config_last_reload_successful 1\n"),
                            HasSubstr("web_certificate_source none 1\n"),
                            HasSubstr("web_svid_source_state unavailable 1\n")));
  EXPECT_THAT(Page(), ::testing::Not(HasSubstr("expiry")));
  Serve();
  EXPECT_EQ(logger_.Await("the page has its SVID"), 1);
  EXPECT_EQ(Front().Waiting(), "");
  EXPECT_NE(Front().tls()->Accept(0), nullptr);
  EXPECT_THAT(Page(), AllOf(HasSubstr("web_certificate_source workload_api 1\n"),
                            HasSubstr("web_svid_source_state ok 1\n"),
                            HasSubstr("web_svid_received_timestamp_seconds 1234\n"),
                            HasSubstr("web_certificate_expiry_timestamp_seconds 1")));
}

TEST_F(WebSpiffeTest, KeepsTheLastSvidWhileTheAgentIsGone) {
  Put();
  ASSERT_TRUE(Front().Start().ok());
  Serve();
  ASSERT_EQ(logger_.Await("the page has its SVID"), 1);
  source_->Fail(WorkloadSource::Problem::kDenied, "no identity issued");
  ASSERT_TRUE(Front().Reload().ok());
  EXPECT_NE(Front().tls()->Accept(0), nullptr);
  EXPECT_EQ(logger_.Await("error=no identity issued then=the page is served with what"), 1);
  EXPECT_THAT(Page(), AllOf(HasSubstr("web_certificate_source workload_api 1\n"),
                            HasSubstr("web_svid_source_state denied 1\n"),
                            HasSubstr("web_svid_received_timestamp_seconds 1234\n")));
}

TEST_F(WebSpiffeTest, AChangeOfTheFileKeepsTheSvid) {
  Put();
  ASSERT_TRUE(Front().Start().ok());
  Serve();
  Put("    authorized_ids: [\"spiffe://a.test/p\"]\n");
  ASSERT_TRUE(Front().Reload().ok());
  EXPECT_THAT(sockets_, ElementsAre("/run/a.sock"));
  EXPECT_EQ(Front().Waiting(), "");
  Put("", "/run/b.sock");
  ASSERT_TRUE(Front().Reload().ok());
  EXPECT_THAT(sockets_, ElementsAre("/run/a.sock", "/run/b.sock"));
  EXPECT_NE(Front().tls()->Accept(0), nullptr) << "the old one serves until the new one has come";
}

TEST_F(WebSpiffeTest, ServesWithTheFallbackUntilAnSvidComes) {
  Put("    fallback: {cert_file: b.crt, key_file: b.key}\n");
  ASSERT_TRUE(Front().Start().ok());
  EXPECT_EQ(Front().Waiting(), "");
  EXPECT_THAT(Page(), HasSubstr("web_certificate_source fallback 1\n"));
  Serve();
  ASSERT_TRUE(Front().Reload().ok());
  EXPECT_THAT(Page(), HasSubstr("web_certificate_source workload_api 1\n"));
  Serve(-1);
  ASSERT_TRUE(Front().Reload().ok());
  EXPECT_THAT(Page(), HasSubstr("web_certificate_source fallback 1\n"));
}

// It would not be there when it is needed.
TEST_F(WebSpiffeTest, AFallbackThatBreaksIsToldWhileTheSvidServes) {
  Put("    fallback: {cert_file: b.crt, key_file: b.key}\n");
  ASSERT_TRUE(Front().Start().ok());
  Serve();
  ASSERT_TRUE(Front().Reload().ok());
  std::ofstream(folder_ + "/b.crt") << "torn";
  const Status reloaded = Front().Reload();
  ASSERT_FALSE(reloaded.ok());
  EXPECT_THAT(reloaded.error().what, HasSubstr("b.crt: no certificate in PEM"));
  EXPECT_THAT(Page(), AllOf(HasSubstr("web_certificate_source workload_api 1\n"),
                            ::testing::Not(HasSubstr("last_reload_successful"))));
  Serve(7200);  // renewed all the same
  const auto generation = Front().tls()->state().generation;
  EXPECT_FALSE(Front().Reload().ok());
  EXPECT_GE(Front().tls()->state().generation, generation);
  EXPECT_NEAR(Front().tls()->state().not_after_seconds, UnixSeconds(clock_.System()) + 7200, 5);
}

TEST_F(WebSpiffeTest, AFallbackThatIsNotThereEndsTheStart) {
  Put("    fallback: {cert_file: none.crt, key_file: b.key}\n");
  const Status started = Front().Start();
  ASSERT_FALSE(started.ok());
  EXPECT_THAT(started.error().what, HasSubstr("none.crt: No such file"));
}

TEST_F(WebSpiffeTest, IsAnErrorWhereNobodyMakesSources) {
  Put();
  WebFront front(folder_ + "/web.yml", &ParseYaml, clock_, logger_);
  const Status started = front.Start();
  ASSERT_FALSE(started.ok());
  EXPECT_THAT(started.error().what, HasSubstr("spiffe"));
}

}  // namespace
}  // namespace spire_exporter
