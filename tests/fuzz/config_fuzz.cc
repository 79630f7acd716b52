// Any bytes as a configuration file: either an error with a place, or a tree that its own rendering
// reads back to, and that renders to the same bytes again.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "exporter/config/environment.h"
#include "exporter/config/yaml.h"

namespace {

using spire_exporter::ConfigNode;
using spire_exporter::ParseYaml;
using spire_exporter::Render;
using spire_exporter::Result;

void Require(bool holds, const char* what, const std::string& detail) {
  if (holds) return;
  std::fprintf(stderr, "%s: %s\n", what, detail.c_str());
  std::abort();
}

// Places and paths are there, and everything can be walked.
void Walk(const ConfigNode& node) {
  Require(node.where().starts_with("f.yaml:"), "a node without a place", node.path());
  for (const ConfigNode::Entry& entry : node.entries()) Walk(entry.value);
  for (const ConfigNode& item : node.items()) Walk(item);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(data, data + size);
  const Result<ConfigNode> parsed = ParseYaml(text, "f.yaml");
  if (!parsed.ok()) {
    Require(parsed.error().where.starts_with("f.yaml"), "an error without a place",
            parsed.error().what);
    Require(!parsed.error().what.empty(), "an error without a text", parsed.error().where);
    return 0;
  }
  Walk(*parsed);
  const std::string rendered = Render(*parsed);
  if (rendered.size() > spire_exporter::kMaxYamlBytes) return 0;  // escapes and indents take room
  const Result<ConfigNode> again = ParseYaml(rendered, "f.yaml");
  Require(again.ok(), "what was rendered does not parse",
          again.ok() ? "" : again.error().ToString() + "\n" + rendered);
  const std::string twice = Render(*again);
  Require(twice == rendered, "rendered twice, it differs", rendered + "\n---\n" + twice);
  return 0;
}
