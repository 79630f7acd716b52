#include "collectors/clients/postgres/read_nodes.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "exporter/base/text.h"

namespace spire_exporter::pg {
namespace {

constexpr size_t kGroupsMax = 8;
constexpr size_t kNameMax = 20;
constexpr std::array<std::string_view, 3> kExpected = {"any", "primary", "standby"};

bool IsName(std::string_view name) {
  return !name.empty() && name.size() <= kNameMax &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

Status ReadNode(const ConfigNode& node, const std::vector<GroupOptions>& before,
                GroupOptions* group) {
  ConfigReader reader(node);
  reader.Read("name", &group->name);
  reader.Read("conninfo_file", &group->conninfo_file);
  size_t expect = 0;
  reader.ReadChoice("expect", kExpected, &expect);
  group->expect = static_cast<Expect>(expect);
  if (const Status read = reader.Finish(); !read.ok()) return read;
  if (!IsName(group->name)) {
    return node.Fail("name: expected up to 20 lower case letters, digits and dashes, like `rw`");
  }
  if (group->conninfo_file.empty()) {
    return node.Fail("conninfo_file: expected the path of a file with a connection string");
  }
  if (std::any_of(before.begin(), before.end(),
                  [&](const GroupOptions& other) { return other.name == group->name; })) {
    return node.Fail("name: " + group->name + " is there twice");
  }
  return {};
}

}  // namespace

Status ReadNodes(const ConfigNode& nodes, std::vector<GroupOptions>* groups) {
  groups->clear();
  if (!nodes.present()) return {};
  if (nodes.kind() != ConfigNode::Kind::kSequence) {
    return nodes.Fail("expected a list of nodes, each with name and conninfo_file");
  }
  if (nodes.items().size() > kGroupsMax) return nodes.Fail("more than 8 nodes");
  for (const ConfigNode& item : nodes.items()) {
    GroupOptions group;
    if (const Status read = ReadNode(item, *groups, &group); !read.ok()) return read;
    groups->push_back(std::move(group));
  }
  return {};
}

std::string Fingerprint(const ClientOptions& options) {
  std::string text = options.application_name + "\n" + FormatDuration(options.connect_timeout) +
                     " " + FormatDuration(options.lock_timeout);
  for (const GroupOptions& group : options.groups) {
    text += "\n" + group.name + " " + std::string(kExpected[static_cast<size_t>(group.expect)]) +
            " " + group.conninfo_file;
  }
  return text;
}

}  // namespace spire_exporter::pg
