#include "collectors/spire_config/audit_line.h"

#include <gtest/gtest.h>

#include <string>

namespace spire_exporter::spire_config {
namespace {

std::string Read(std::string_view line) {
  AuditEvent event;
  switch (ReadAuditLine(line, &event)) {
    case LineKind::kOther:
      return "other";
    case LineKind::kMalformed:
      return "malformed";
    case LineKind::kAudit:
      break;
  }
  return std::string(kAuditMethods[event.method]) + " " +
         std::string(kAuditStatuses[event.status]) + " " + std::string(kAuditCallers[event.caller]);
}

// As SPIRE 1.15.3 wrote them.
constexpr char kJson[] =
    R"({"authorized_as":"local","authorized_via":"transport","caller_gid":0,)"
    R"("caller_path":"/opt/spire/bin/spire-server","caller_uid":0,"level":"info",)"
    R"("method":"BanAgent","msg":"API accessed","request_id":"5d90fdff","service":)"
    R"("agent.v1.Agent","spiffe_id":"spiffe://example.org/a","status":"error","status_code":5,)"
    R"("status_message":"agent not found","subject":{"Country":null,"method":"MintX509SVID"},)"
    R"("subsystem_name":"api","time":"2026-11-26T20:16:36.970435885Z","type":"audit"})";
constexpr char kText[] =
    "time=\"2026-11-26T20:16:36Z\" level=info msg=\"API accessed\" authorized_as=agent "
    "authorized_via=datastore caller_addr=\"127.0.0.1:52014\" "
    "caller_id=\"spiffe://example.org/spire/agent/join_token/x\" method=BatchNewX509SVID "
    "request_id=1 service=svid.v1.SVID spiffe_id=\"spiffe://example.org/a\\\" method=GetInfo\" "
    "status=success subsystem_name=api type=audit";

TEST(AuditLineTest, ReadsBothFormats) {
  EXPECT_EQ(Read(kJson), "BanAgent error local");
  EXPECT_EQ(Read(kText), "BatchNewX509SVID success agent");
  EXPECT_EQ(Read(std::string(kText) + "\r"), "BatchNewX509SVID success agent");
}

TEST(AuditLineTest, NamesTheKindOfCaller) {
  const auto caller = [](std::string_view as) {
    return Read("method=GetBundle status=success type=audit authorized_as=" + std::string(as));
  };
  EXPECT_EQ(caller("admin"), "GetBundle success admin");
  EXPECT_EQ(caller("downstream"), "GetBundle success downstream");
  EXPECT_EQ(caller("nobody"), "GetBundle success anyone");
  EXPECT_EQ(caller(""), "GetBundle success anyone");
  EXPECT_EQ(caller("emperor"), "GetBundle success other");
}

TEST(AuditLineTest, TakesUnknownNamesForOther) {
  EXPECT_EQ(Read("method=Sabotage status=pending type=audit authorized_as=local"),
            "other other local");
  EXPECT_EQ(Read("type=audit"), "other other anyone");
}

TEST(AuditLineTest, LeavesOtherLinesAlone) {
  EXPECT_EQ(Read("level=info msg=\"Starting\" type=something"), "other");
  EXPECT_EQ(Read("time=x level=info msg=\"type=audit method=MintX509SVID\""), "other");
  EXPECT_EQ(Read(R"({"msg":"about the audit log","type":"other"})"), "other");
  EXPECT_EQ(Read(R"({"nested":{"type":"audit","method":"MintX509SVID"},"msg":"x"})"), "other");
  EXPECT_EQ(Read(""), "other");
}

TEST(AuditLineTest, SaysWhatItCannotRead) {
  EXPECT_EQ(Read(std::string(kJson).substr(0, sizeof kJson - 2)), "malformed");
  EXPECT_EQ(Read("type=audit msg=\"unfinished"), "malformed");
  EXPECT_EQ(Read("type=audit msg=\"a\"b"), "malformed");
  EXPECT_EQ(Read("audit"), "malformed");
  EXPECT_EQ(Read("panic: audit trail \\"), "malformed");
}

}  // namespace
}  // namespace spire_exporter::spire_config
