#include "exporter/app/command_line.h"

#include <gtest/gtest.h>

#include "exporter/app/test_catalog.h"

namespace spire_exporter {
namespace {

std::variant<CommandLine, EarlyExit> Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "spire-exporter");
  return ParseCommandLine(arguments, kTestCatalog);
}

CommandLine ParseWell(std::vector<const char*> arguments) {
  const auto parsed = Parse(std::move(arguments));
  if (const auto* exit = std::get_if<EarlyExit>(&parsed)) {
    ADD_FAILURE() << exit->to_stderr << exit->to_stdout;
    return {};
  }
  return std::get<CommandLine>(parsed);
}

TEST(CommandLineTest, TakesValuesAfterASpaceOrAnEqualsSign) {
  const CommandLine line =
      ParseWell({"--config.file=a.yaml", "--role", "agent", "--log.level=debug"});
  EXPECT_EQ(line.config_file, "a.yaml");
  EXPECT_EQ(line.role, Role::kAgent);
  EXPECT_EQ(line.log_level, LogLevel::kDebug);
  EXPECT_EQ(line.command, Command::kServe);
}

TEST(CommandLineTest, ListensOnEveryAddressGiven) {
  const CommandLine line =
      ParseWell({"--web.listen-address=:1", "--web.listen-address", "unix:/x", "serve"});
  EXPECT_EQ(line.listen_addresses, (std::vector<std::string>{":1", "unix:/x"}));
}

TEST(CommandLineTest, SwitchesCollectorsOnAndOff) {
  EXPECT_TRUE(ParseWell({}).collectors.empty());
  EXPECT_TRUE(ParseWell({"--collector.lamps"}).collectors.at("lamps"));
  EXPECT_FALSE(ParseWell({"--no-collector.lamps"}).collectors.at("lamps"));
}

TEST(CommandLineTest, KnowsItsSubcommands) {
  EXPECT_EQ(ParseWell({"check", "--role=server"}).command, Command::kCheck);
  EXPECT_EQ(ParseWell({"metrics"}).command, Command::kMetrics);
  EXPECT_TRUE(ParseWell({"metrics", "--format=json"}).metrics_as_json);
}

TEST(CommandLineTest, TheCatalogueNamesTheFlagsOfGrants) {
  const CommandLine bare = ParseWell({"grants"});
  EXPECT_EQ(bare.command, Command::kGrants);
  EXPECT_EQ(bare.grants, (GrantChoices{{"role", "lamplighter"}, {"remove", ""}}));
  const CommandLine line = ParseWell({"grants", "--role=caretaker", "--remove"});
  EXPECT_EQ(line.grants, (GrantChoices{{"role", "caretaker"}, {"remove", "true"}}));
  // The same name before the subcommand is the process's own role.
  EXPECT_FALSE(line.role.has_value());
  EXPECT_EQ(ParseWell({"--role=server", "grants"}).grants.at("role"), "lamplighter");
}

TEST(CommandLineTest, WrongUsageEndsWithTwoAndOneLine) {
  for (const std::vector<const char*>& wrong :
       std::vector<std::vector<const char*>>{{"--no-such-flag"},
                                             {"--role=boss"},
                                             {"--log.level=loud"},
                                             {"--web.max-requests=0"},
                                             {"--web.telemetry-path=metrics"},
                                             {"--web.telemetry-path=/"},
                                             {"stray"},
                                             {"--collector.nope"},
                                             {"--config.file"}}) {
    const auto parsed = Parse(wrong);
    const auto* exit = std::get_if<EarlyExit>(&parsed);
    ASSERT_NE(exit, nullptr) << wrong[0];
    EXPECT_EQ(exit->code, 2) << wrong[0];
    EXPECT_EQ(std::count(exit->to_stderr.begin(), exit->to_stderr.end(), '\n'), 1)
        << exit->to_stderr;
    EXPECT_TRUE(exit->to_stdout.empty());
  }
}

TEST(CommandLineTest, HelpAndVersionGoToStandardOutput) {
  for (const char* flag : {"--help", "--version"}) {
    const auto parsed = Parse({flag});
    const auto* exit = std::get_if<EarlyExit>(&parsed);
    ASSERT_NE(exit, nullptr);
    EXPECT_EQ(exit->code, 0);
    EXPECT_NE(exit->to_stdout.find("spire-exporter"), std::string::npos);
    EXPECT_TRUE(exit->to_stderr.empty());
  }
}

}  // namespace
}  // namespace spire_exporter
