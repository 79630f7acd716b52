#include "exporter/app/reference.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "exporter/app/test_catalog.h"

namespace spire_exporter {
namespace {

TEST(ReferenceTest, WritesEveryFieldOfADescription) {
  EXPECT_NE(ReferenceMarkdown({{"lamps", "Lamps.", {&kFakeLamps}}})
                .find("## lamps\n\nLamps.\n\n"
                      "### `spire_fake_lamps`\n\n"
                      "Lamps by colour.\n\n"
                      "| | |\n|---|---|\n"
                      "| Type | gauge |\n"
                      "| Unit | none |\n"
                      "| Label `color` | a colour |\n"
                      "| Source | a test |\n"
                      "| Series | at most 3 |\n"
                      "| Age | up to 1m, then withdrawn |\n"
                      "| Profile | standard |\n"
                      "| Stability | experimental |\n"),
            std::string::npos);
}

TEST(ReferenceTest, JsonHoldsTheSame) {
  const auto json = nlohmann::json::parse(ReferenceJson({{"lamps", "Lamps.", {&kFakeLamps}}}));
  ASSERT_EQ(json.size(), 1u);
  EXPECT_EQ(json[0]["name"], "spire_fake_lamps");
  EXPECT_EQ(json[0]["labels"][0]["name"], "color");
  EXPECT_EQ(json[0]["age_max_seconds"], 60.0);
}

TEST(ReferenceTest, LintFindsWhatPromlintWouldAndMore) {
  constexpr FamilyDescription kBadCounter{
      .name = "spire_thing", .type = MetricType::kCounter, .help = "A thing.", .source = "a test"};
  constexpr FamilyDescription kBadUnit{
      .name = "spire_age", .unit = "seconds", .help = "no stop", .source = "a test"};
  constexpr FamilyDescription kSpires{
      .name = "spire_server_thing", .help = "A thing.", .source = "a test"};
  constexpr FamilyDescription kTwin{
      .name = "spire_fake_lamps", .help = "A twin.", .source = "a test"};
  const std::vector<std::string> findings =
      LintDescriptions({{"x", "", {&kBadCounter, &kBadUnit, &kSpires, &kFakeLamps, &kTwin}}});
  EXPECT_EQ(findings,
            (std::vector<std::string>{
                "spire_thing: `_total` belongs to counters and to all of them",
                "spire_age: the name lacks its unit", "spire_age: the help is not a sentence",
                "spire_server_thing: the name is in nobody's or in SPIRE's own space",
                "spire_fake_lamps: described twice"}));
}

TEST(ReferenceTest, TwoCollectorsMayFillOneFamilyThatIsTheSameToReaders) {
  static constexpr std::string_view kKinds[] = {"agent", "server"};
  static constexpr std::string_view kTurned[] = {"server", "agent"};
  static constexpr std::string_view kMore[] = {"agent", "server", "canary"};
  static constexpr LabelDescription kKind[] = {{"kind", "whose", kKinds}};
  static constexpr LabelDescription kOtherOrder[] = {{"kind", "whose", kTurned}};
  static constexpr LabelDescription kOtherSet[] = {{"kind", "whose", kMore}};
  constexpr FamilyDescription kOne{
      .name = "spire_ends", .labels = kKind, .help = "An end.", .source = "a test"};
  constexpr FamilyDescription kSame{
      .name = "spire_ends", .labels = kOtherOrder, .help = "An end.", .source = "another test"};
  constexpr FamilyDescription kOther{
      .name = "spire_ends", .labels = kOtherSet, .help = "An end.", .source = "a test"};
  EXPECT_TRUE(LintDescriptions({{"x", "", {&kOne}}, {"y", "", {&kSame}}}).empty());
  EXPECT_EQ(LintDescriptions({{"x", "", {&kOne}}, {"y", "", {&kOther}}}).size(), 1u);
}

}  // namespace
}  // namespace spire_exporter
