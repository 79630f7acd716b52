#include "collectors/clients/postgres/server_errors.h"

#include <gtest/gtest.h>

namespace spire_exporter::pg {
namespace {

TEST(ServerErrorsTest, StatesBecomeCodes) {
  EXPECT_EQ(CodeOfSqlState("42501"), Code::kPermissionDenied);
  EXPECT_EQ(CodeOfSqlState("42P01"), Code::kNotFound);
  EXPECT_EQ(CodeOfSqlState("57014"), Code::kDeadlineExceeded);
  EXPECT_EQ(CodeOfSqlState("55P03"), Code::kAborted);
  EXPECT_EQ(CodeOfSqlState("53300"), Code::kResourceExhausted);
  EXPECT_EQ(CodeOfSqlState("28P01"), Code::kUnauthenticated);
  EXPECT_EQ(CodeOfSqlState("57P03"), Code::kUnavailable);
  EXPECT_EQ(CodeOfSqlState("XX000"), Code::kUnknown);
  EXPECT_EQ(CodeOfSqlState(""), Code::kUnknown);
}

TEST(ServerErrorsTest, AStatementsErrorIsOneLineWithoutTheSeverity) {
  const Error error = StatementError(
      "read the slots", "ERROR:  42501: permission denied for table x\nLINE 1: SELECT\n");
  EXPECT_EQ(error.what, "read the slots: permission denied for table x");
  EXPECT_EQ(error.code, Code::kPermissionDenied);
  EXPECT_FALSE(error.retryable);
  EXPECT_EQ(StatementError("ask", "no state: at all\n").what, "ask: no state: at all");
}

TEST(ServerErrorsTest, ARefusedConnectionTellsWhyAndNotWhere) {
  const Error refused = ConnectError(
      "connection to server at \"db\" (10.0.0.7), port 5432 failed: FATAL:  28P01: password "
      "authentication failed for user \"x\"\nLOCATION:  auth_failed, auth.c:335\n");
  EXPECT_EQ(refused.code, Code::kUnauthenticated);
  EXPECT_EQ(refused.what, "connect: password authentication failed for user \"x\"");

  const Error nobody = ConnectError(
      "connection to server at \"10.0.0.7\", port 1 failed: Connection refused\n\tIs the server "
      "running on that host and accepting TCP/IP connections?\n");
  EXPECT_EQ(nobody.code, Code::kUnavailable);
  EXPECT_EQ(nobody.what, "connect: Connection refused");

  const Error full = ConnectError(
      "connection to server at \"db\" (10.0.0.7), port 5432 failed: FATAL:  53300: sorry, too many "
      "clients already\n");
  EXPECT_EQ(full.code, Code::kResourceExhausted);

  const Error tls = ConnectError(
      "connection to server at \"db\" (10.0.0.7), port 5432 failed: root certificate file "
      "\"root.crt\" does not exist\n");
  EXPECT_EQ(tls.code, Code::kFailedPrecondition);
}

}  // namespace
}  // namespace spire_exporter::pg
