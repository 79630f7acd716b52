#include "collectors/clients/spiffe/read_classes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spire_exporter::spiffe {
namespace {

using ::testing::HasSubstr;

ConfigNode NodeOf(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::vector<ConfigNode::Entry> entries;
  for (const auto& [key, value] : pairs) {
    entries.push_back({key, "f:2:3", ConfigNode::Scalar("classes[0]." + key, "f:2:9", value)});
  }
  return ConfigNode::Map("classes[0]", "f:2:1", std::move(entries));
}

ConfigNode ListOf(std::vector<ConfigNode> nodes) {
  return ConfigNode::Sequence("classes", "f:1:1", std::move(nodes));
}

TEST(ReadClassesTest, ReadsNamesAndPatternsInOrder) {
  std::vector<ClassOptions> classes;
  ASSERT_TRUE(ReadClasses(ListOf({NodeOf({{"name", "b"}, {"match", "spiffe://example.org/b/*"}}),
                                  NodeOf({{"name", "a"}, {"match", "spiffe://example.org/**"}})}),
                          &classes)
                  .ok());
  ASSERT_EQ(classes.size(), 2u);
  EXPECT_EQ(classes[0], (ClassOptions{"b", "spiffe://example.org/b/*"}));
  EXPECT_NE(Fingerprint(classes), Fingerprint({classes[1], classes[0]}));
  EXPECT_TRUE(ReadClasses(ConfigNode::Absent("classes"), &classes).ok());
  EXPECT_TRUE(classes.empty());
}

TEST(ReadClassesTest, NamesThePlaceOfWhatIsWrong) {
  const struct {
    ConfigNode list;
    const char* what;
  } cases[] = {
      {NodeOf({{"name", "a"}}), "list of classes"},
      {ListOf({NodeOf({{"name", "a"}, {"match", "x"}})}), "classes[0].match: \"x\""},
      {ListOf({NodeOf({{"name", "A"}, {"match", "spiffe://example.org/a"}})}), "classes[0].name"},
      {ListOf({NodeOf({{"nmae", "a"}, {"match", "spiffe://example.org/a"}})}), "nmae"},
  };
  for (const auto& one : cases) {
    std::vector<ClassOptions> classes = {{"kept", "spiffe://example.org"}};
    const Status status = ReadClasses(one.list, &classes);
    ASSERT_FALSE(status.ok()) << one.what;
    EXPECT_THAT(status.error().ToString(), HasSubstr(one.what));
    EXPECT_THAT(status.error().where, HasSubstr("f:"));
    EXPECT_EQ(classes.size(), 1u);
  }
}

}  // namespace
}  // namespace spire_exporter::spiffe
