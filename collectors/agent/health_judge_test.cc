#include "collectors/agent/health_judge.h"

#include <gtest/gtest.h>

#include <string>

namespace spire_exporter::agent {
namespace {

std::string_view Judge(int status, std::string body) {
  return JudgeHealth(HttpReply{status, "application/json", std::move(body)});
}

TEST(HealthJudgeTest, KnowsWhatAnAgentSays) {
  EXPECT_EQ(Judge(200, "{\"agent\":{}}\n"), "ok");
  EXPECT_EQ(Judge(500, "{\"agent\":{\"make_new_x509_err\":\"workload api is unavailable\"}}\n"),
            "not_attested");
  EXPECT_EQ(Judge(500, " {\r\n\t\"agent\" : { \"other_err\": \"x\" } }"), "failing");
  EXPECT_EQ(Judge(500, "{\"agent\":{}}"), "failing");
}

TEST(HealthJudgeTest, WhatIsNoAgentIsForeign) {
  EXPECT_EQ(Judge(200, ""), "foreign");
  EXPECT_EQ(Judge(200, "<html>"), "foreign");
  EXPECT_EQ(Judge(200, "{\"server\":{}}"), "foreign") << "a server's";
  EXPECT_EQ(Judge(200, "{\"agent\":[]}"), "foreign");
  EXPECT_EQ(Judge(404, "{\"agent\":{}}"), "foreign");
  EXPECT_EQ(Judge(503, "{\"agent\":{}}"), "foreign") << "SPIRE says 500";
}

TEST(HealthJudgeTest, EachFailureHasAState) {
  const auto state = [](Code code) { return JudgeHealth(Error{code, "", "", true}); };
  EXPECT_EQ(state(Code::kUnavailable), "unreachable");
  EXPECT_EQ(state(Code::kDeadlineExceeded), "timeout");
  EXPECT_EQ(state(Code::kResourceExhausted), "foreign");
  EXPECT_EQ(state(Code::kDataLoss), "foreign");
  EXPECT_EQ(state(Code::kUnimplemented), "foreign");
}

}  // namespace
}  // namespace spire_exporter::agent
