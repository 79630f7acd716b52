#include "collectors/clients/postgres/session.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <utility>

#include "collectors/clients/postgres/ask.h"
#include "exporter/base/unique_fd.h"

namespace spire_exporter::pg {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Answers at once, or, told to hang, when its socket is shut down.
class FakeConnection final : public ServerConnection {
 public:
  FakeConnection(std::atomic<bool>& hangs, std::atomic<bool>& hanging)
      : hangs_(hangs), hanging_(hanging) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0) {
      ours_.Reset(ends[0]);
      theirs_.Reset(ends[1]);
    }
  }
  int version() const override { return 150000; }
  int fd() const override { return ours_.get(); }
  bool usable() override { return !broken_; }
  Status SetUp() override { return {}; }
  Status SetStatementTimeout(Duration timeout) override {
    timeout_ = timeout;
    return {};
  }
  Result<Rows> Query(std::string_view what, const std::string&) override {
    if (hangs_) {
      hanging_ = true;
      hanging_.notify_all();
      char byte = 0;
      EXPECT_EQ(recv(ours_.get(), &byte, 1, 0), 0) << "ends by the shutdown alone";
      broken_ = true;
      return Error{Code::kUnavailable, std::string(what), "", true};
    }
    Rows rows(1);
    const std::string text =
        std::to_string(std::chrono::duration_cast<milliseconds>(timeout_).count());
    const Cell cells[] = {text};
    rows.Add(Row(cells));
    return rows;
  }
  Status Stream(std::string_view, const std::string&,
                const std::function<void(const Row&)>&) override {
    return {};
  }
  Result<bool> TryLock(int64_t) override { return true; }
  Status Unlock(int64_t) override { return {}; }

 private:
  std::atomic<bool>& hangs_;
  std::atomic<bool>& hanging_;
  UniqueFd ours_, theirs_;
  bool broken_ = false;
  Duration timeout_{};
};

class SessionTest : public ::testing::Test {
 protected:
  std::unique_ptr<Session> Make() {
    return std::make_unique<Session>(
        "rw/0",
        [this](const Waiter&) -> Result<std::unique_ptr<ServerConnection>> {
          ++connects_;
          if (refuses_) return Error{Code::kUnavailable, "connect: refused", "", true};
          return std::unique_ptr<ServerConnection>(
              std::make_unique<FakeConnection>(hangs_, hanging_));
        },
        seconds(1), clock_, logger_);
  }
  Result<int64_t> AskOne(const std::shared_ptr<Session>& session, Duration within) {
    const Node node{"rw/0", "rw", Expect::kAny, "", session};
    return Ask<int64_t>(node, {Deadline::After(clock_, within), seconds(3)}, stop_.get_token(),
                        [](Connection& connection) -> Result<int64_t> {
                          Result<Rows> rows = connection.Query("ask", "SELECT 1");
                          if (!rows) return rows.error();
                          return rows->Int(0).value_or(-1);
                        });
  }

  const RealClock clock_{};
  NullLogger logger_;
  std::stop_source stop_;
  std::atomic<int> connects_{0};
  std::atomic<bool> refuses_{false};
  std::atomic<bool> hangs_{false};
  std::atomic<bool> hanging_{false};  // a job is
};

TEST_F(SessionTest, KeepsOneConnectionForAllJobs) {
  const std::shared_ptr<Session> session = Make();
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(AskOne(session, seconds(5)).ok());
  EXPECT_EQ(connects_, 1);
  EXPECT_TRUE(session->State().connected);
  EXPECT_EQ(session->State().connects, 1u);
}

TEST_F(SessionTest, TheServerIsToldTheShorterTime) {
  const std::shared_ptr<Session> session = Make();
  EXPECT_EQ(*AskOne(session, seconds(60)), 3000);
  EXPECT_EQ(*AskOne(session, milliseconds(900)), 1000) << "in quarters of a second, rounded up";
}

TEST_F(SessionTest, BreaksAHangingJobOffAtItsDeadline) {
  const std::shared_ptr<Session> session = Make();
  hangs_ = true;
  const SteadyTime begun = clock_.Steady();
  const Result<int64_t> answer = AskOne(session, milliseconds(50));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Code::kDeadlineExceeded);
  EXPECT_GE(clock_.Steady() - begun, milliseconds(50));
  hangs_ = false;
  EXPECT_TRUE(AskOne(session, seconds(5)).ok());
  EXPECT_EQ(connects_, 2) << "what was broken off is not used again";
}

TEST_F(SessionTest, WhatIsOwedIsKnownToOthersThanWhoAsked) {
  const std::shared_ptr<Session> session = Make();
  EXPECT_TRUE(AskOne(session, seconds(5)).ok());
  EXPECT_FALSE(session->State().owed_since) << "it has answered";
  hangs_ = true;
  const SteadyTime begun = clock_.Steady();
  std::jthread asker([&] { EXPECT_FALSE(AskOne(session, milliseconds(300)).ok()); });
  hanging_.wait(false);
  const auto owed = session->State().owed_since;
  ASSERT_TRUE(owed);
  EXPECT_GE(*owed, begun);
  EXPECT_LE(*owed, clock_.Steady());
  asker.join();
  hangs_ = false;
  EXPECT_TRUE(AskOne(session, seconds(5)).ok());
  EXPECT_FALSE(session->State().owed_since);
}

TEST_F(SessionTest, WhatWasBrokenOffIsBlamedOnTheServer) {
  const std::shared_ptr<Session> session = Make();
  EXPECT_TRUE(AskOne(session, seconds(5)).ok());
  hangs_ = true;
  EXPECT_FALSE(AskOne(session, milliseconds(50)).ok());
  refuses_ = true;
  EXPECT_FALSE(AskOne(session, seconds(5)).ok()) << "after it, the first job has ended";
  ASSERT_TRUE(session->State().problem);
  refuses_ = false;
  hangs_ = false;
}

TEST_F(SessionTest, AStopRequestEndsTheWaitAtOnce) {
  const std::shared_ptr<Session> session = Make();
  hangs_ = true;
  const std::jthread stopper([this] {
    hanging_.wait(false);
    stop_.request_stop();
  });
  const Result<int64_t> answer = AskOne(session, seconds(60));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Code::kCancelled);
}

TEST_F(SessionTest, AnotherCallersJobMakesItBusyAndIsNotBrokenOff) {
  const std::shared_ptr<Session> session = Make();
  std::atomic<bool> release{false};
  const auto long_job = session->Start(
      [&release](Connection&) {
        while (!release) std::this_thread::yield();
      },
      {Deadline::After(clock_, seconds(60)), seconds(3)});
  const Result<int64_t> answer = AskOne(session, milliseconds(30));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Code::kResourceExhausted);
  release = true;
  EXPECT_TRUE(session->Finish(long_job, stop_.get_token()).ok());
  EXPECT_TRUE(AskOne(session, seconds(5)).ok());
  EXPECT_EQ(connects_, 1);
}

TEST_F(SessionTest, ARefusedConnectIsNotTriedAgainBeforeItsTime) {
  const std::shared_ptr<Session> session = Make();
  refuses_ = true;
  for (int i = 0; i < 20; ++i) {
    const Result<int64_t> answer = AskOne(session, seconds(5));
    ASSERT_FALSE(answer.ok());
    EXPECT_EQ(answer.error().what, "connect: refused");
  }
  EXPECT_EQ(connects_, 1);
  EXPECT_EQ(session->State().failures, 1u);
  ASSERT_TRUE(session->State().problem.has_value());
}

TEST_F(SessionTest, AnExceptionOfAJobIsItsErrorAlone) {
  const std::shared_ptr<Session> session = Make();
  const auto ticket = session->Start([](Connection&) { throw std::runtime_error("a bug"); },
                                     {Deadline::After(clock_, seconds(5)), seconds(3)});
  const Status status = session->Finish(ticket, stop_.get_token());
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Code::kInternal);
  EXPECT_TRUE(AskOne(session, seconds(5)).ok());
}

TEST_F(SessionTest, EndsWhileAJobHangs) {
  std::shared_ptr<Session> session = Make();
  hangs_ = true;
  const auto ticket = session->Start(
      [](Connection& connection) { EXPECT_FALSE(connection.Query("hang", "").ok()); },
      {Deadline::After(clock_, seconds(60)), seconds(3)});
  session.reset();
  SUCCEED() << "the destructor returned";
}

TEST_F(SessionTest, ANodeWhoseAddressIsGoneSaysSo) {
  const Result<int64_t> answer = AskOne(nullptr, seconds(1));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Code::kNotFound);
}

}  // namespace
}  // namespace spire_exporter::pg
