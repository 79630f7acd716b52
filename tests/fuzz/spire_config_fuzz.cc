// Any bytes as SPIRE's configuration: an error with a place, or a tree within its bounds that has
// nothing but what a rule names, and from which every setting can be read.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "collectors/clients/spire_config/config_tree.h"
#include "collectors/clients/spire_config/settings.h"

namespace {

using spire_exporter::Result;
using spire_exporter::spire_config::KeepRule;
using spire_exporter::spire_config::Node;
using spire_exporter::spire_config::SettingsReader;

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

size_t Walk(const Node& node, int depth) {
  Require(depth <= spire_exporter::spire_config::kMaxConfigDepth + 1, "a tree too deep");
  Require(node.line > 0 && node.column > 0, "a node without a place");
  const bool shows = node.kind == Node::Kind::kString || node.kind == Node::Kind::kNumber ||
                     node.kind == Node::Kind::kBool;
  Require(shows || node.text.empty(), "a text that should be dropped");
  size_t count = 1;
  for (const Node& child : node.children) count += Walk(child, depth + 1);
  return count;
}

void Read(std::string_view text, std::span<const KeepRule> rules) {
  const Result<Node> tree = spire_exporter::spire_config::ParseConfigTree(text, "f.conf", rules);
  if (!tree.ok()) {
    Require(tree.error().where.starts_with("f.conf"), "an error without a place");
    Require(!tree.error().what.empty(), "an error without a text");
    return;
  }
  // A list of lists is looked at before its items are counted.
  Require(Walk(*tree, 0) <= spire_exporter::spire_config::kMaxConfigNodes + 64, "too many nodes");
  SettingsReader reader(*tree);
  for (const KeepRule& rule : rules) {
    (void)reader.Text(rule.path);
    (void)reader.Bool(rule.path);
    (void)reader.Number(rule.path);
    (void)reader.Time(rule.path);
    (void)reader.Present(rule.path);
    (void)reader.Digests(rule.path);
  }
  (void)reader.Plugins();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(data, data + size);
  Read(text, spire_exporter::spire_config::ServerRules());
  Read(text, spire_exporter::spire_config::AgentRules());
  return 0;
}
