#include "tests/fakes/sim_options.h"

#include <gtest/gtest.h>

#include <vector>

namespace spire_exporter::fakes {
namespace {

Result<SimOptions> Parse(std::vector<const char*> arguments) {
  return ParseSimOptions(arguments);
}

std::string ErrorOf(std::vector<const char*> arguments) {
  const Result<SimOptions> options = Parse(std::move(arguments));
  return options.ok() ? "none" : options.error().ToString();
}

TEST(SimOptionsTest, FlagsTakeTheirValueInBothWays) {
  const auto options =
      Parse({"--role=agent", "--version", "1.8.0", "--dogstatsd=unix:///a", "--dogstatsd",
             "127.0.0.1:8125", "--workloads=20", "--svid-ttl=90s", "--load=everything"});
  ASSERT_TRUE(options.ok()) << options.error().ToString();
  EXPECT_EQ(options.value().simulator.emitter.role, Role::kAgent);
  EXPECT_EQ(options.value().simulator.emitter.release, Release::k1_8_0);
  EXPECT_EQ(options.value().simulator.streams,
            (std::vector<std::string>{"unix:///a", "127.0.0.1:8125"}));
  EXPECT_EQ(options.value().simulator.load.workloads, 20U);
  EXPECT_EQ(options.value().simulator.load.svid_ttl, std::chrono::seconds(90));
  EXPECT_EQ(options.value().simulator.load.mix, Mix::kEverything);
}

TEST(SimOptionsTest, ErrorsNameTheFlagAndWhatIsExpected) {
  EXPECT_EQ(ErrorOf({"--rolle=agent"}), "unknown flag --rolle: did you mean --role?");
  EXPECT_EQ(ErrorOf({"--role=boss"}), "--role: \"boss\" is no role: expected server or agent");
  EXPECT_EQ(ErrorOf({"--seed"}), "--seed lacks a value");
  EXPECT_EQ(ErrorOf({"agent"}), "unexpected argument \"agent\"");
  EXPECT_EQ(ErrorOf({"--version=1.9"}),
            "--version: \"1.9\" is no version played here: expected 1.7.2, 1.8.0, 1.13.3, 1.14.7 "
            "or 1.15.3");
  EXPECT_EQ(ErrorOf({"--svid-ttl=0"}), "--svid-ttl: \"0\" is shorter than 1s");
  EXPECT_NE(ErrorOf({"--rate=-1"}), "none");
  EXPECT_NE(ErrorOf({"--rate=nan"}), "none");
  EXPECT_NE(ErrorOf({"--accelerate=0"}), "none");
}

TEST(SimOptionsTest, HelpNamesEveryFlag) {
  EXPECT_TRUE(Parse({"--help"}).value().help);
  for (const char* flag : {"--role", "--truth", "--dogstatsd", "--fleet-lines"}) {
    EXPECT_NE(SimUsage().find(flag), std::string::npos) << flag;
  }
}

TEST(SimOptionsTest, TakesWhatIdentitiesNeed) {
  const char* const arguments[] = {"--role=agent",          "--identities=lab",
                                   "--name=agent-1",        "--trust-domain=lab.example",
                                   "--server=127.0.0.1:1",  "--server=127.0.0.1:2",
                                   "--attestor=join_token", "--entry=canary",
                                   "--jwt-ttl=90s"};
  const auto options = ParseSimOptions(arguments);
  ASSERT_TRUE(options.ok()) << options.error().ToString();
  const IdentityOptions& identity = options.value().identity;
  EXPECT_EQ(identity.folder, "lab");
  EXPECT_EQ(identity.trust_domain, "lab.example");
  EXPECT_EQ(identity.servers, (std::vector<std::string>{"127.0.0.1:1", "127.0.0.1:2"}));
  EXPECT_TRUE(identity.join_token);
  EXPECT_EQ(identity.entries, std::vector<std::string>{"canary"});
  EXPECT_EQ(identity.jwt_ttl, std::chrono::seconds(90));
  EXPECT_TRUE(options.value().simulator.load.true_identities);
  const char* const wrong[] = {"--attestor=magic"};
  EXPECT_FALSE(ParseSimOptions(wrong).ok());
}

}  // namespace
}  // namespace spire_exporter::fakes
