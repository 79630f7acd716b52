#include "collectors/clients/postgres/read_nodes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spire_exporter::pg {
namespace {

using ::testing::HasSubstr;

ConfigNode NodeOf(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::vector<ConfigNode::Entry> entries;
  for (const auto& [key, value] : pairs) {
    entries.push_back(
        {key, "f:1:1", ConfigNode::Scalar("postgres.nodes[0]." + key, "f:1:9", value)});
  }
  return ConfigNode::Map("postgres.nodes[0]", "f:1:1", std::move(entries));
}

ConfigNode ListOf(std::vector<ConfigNode> nodes) {
  return ConfigNode::Sequence("postgres.nodes", "f:1:1", std::move(nodes));
}

TEST(ReadNodesTest, ReadsNamesFilesAndExpectations) {
  std::vector<GroupOptions> groups;
  ASSERT_TRUE(
      ReadNodes(ListOf({NodeOf({{"name", "rw"}, {"conninfo_file", "/a"}, {"expect", "primary"}}),
                        NodeOf({{"name", "ro-2"}, {"conninfo_file", "/b"}})}),
                &groups)
          .ok());
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0], (GroupOptions{"rw", "/a", Expect::kPrimary}));
  EXPECT_EQ(groups[1], (GroupOptions{"ro-2", "/b", Expect::kAny}));
  EXPECT_TRUE(ReadNodes(ConfigNode::Absent("postgres.nodes"), &groups).ok());
  EXPECT_TRUE(groups.empty());
}

TEST(ReadNodesTest, NamesThePlaceOfWhatIsWrong) {
  const struct {
    ConfigNode list;
    const char* says;
  } cases[] = {
      {NodeOf({}), "expected a list"},
      {ListOf({NodeOf({{"conninfo_file", "/a"}})}), "name: expected"},
      {ListOf({NodeOf({{"name", "R/W"}, {"conninfo_file", "/a"}})}), "name: expected"},
      {ListOf({NodeOf({{"name", "rw"}})}), "conninfo_file: expected"},
      {ListOf({NodeOf({{"name", "rw"}, {"conninfo_file", "/a"}, {"expect", "master"}})}),
       "primary"},
      {ListOf({NodeOf({{"name", "rw"}, {"conninfo_file", "/a"}, {"host", "x"}})}), "host"},
      {ListOf({NodeOf({{"name", "rw"}, {"conninfo_file", "/a"}}),
               NodeOf({{"name", "rw"}, {"conninfo_file", "/b"}})}),
       "twice"},
  };
  for (const auto& one : cases) {
    std::vector<GroupOptions> groups;
    const Status status = ReadNodes(one.list, &groups);
    ASSERT_FALSE(status.ok()) << one.says;
    EXPECT_THAT(status.error().ToString(), HasSubstr("f:1:"));
    EXPECT_THAT(status.error().what, HasSubstr(one.says));
  }
}

}  // namespace
}  // namespace spire_exporter::pg
