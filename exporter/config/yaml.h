// YAML files to ConfigNode trees and back. yaml-cpp stops here.
//
// The reading is stricter than YAML: a configuration that a person can misread is refused. Errors
// have the form `file:line:column: what is wrong: what is expected` (Error::where and what).
#ifndef EXPORTER_CONFIG_YAML_H_
#define EXPORTER_CONFIG_YAML_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "exporter/base/config_node.h"
#include "exporter/base/result.h"

namespace spire_exporter {

// Bounds on what a file may hold, so that a hostile one costs at most some tens of megabytes and
// well under a second. Each is an error of its own, at the place where it is passed.
inline constexpr size_t kMaxYamlBytes = size_t{1} << 20;
inline constexpr size_t kMaxYamlDepth = 64;        // maps and lists within each other
inline constexpr size_t kMaxYamlNodes = 65'536;    // scalars, maps and lists
inline constexpr size_t kMaxYamlKeyBytes = 128;    // of one key
inline constexpr size_t kMaxYamlPathBytes = 1024;  // of a dotted path

// Parses one document whose root is a map; an empty document is an empty map. `file_name` is for
// messages only. Refused: duplicate keys, keys that are not strings, anchors, aliases and tags,
// several documents, bytes that are not UTF-8, control characters, and anything beyond the bounds
// above. Scalars keep their text; what it means is for the reader of the node.
Result<ConfigNode> ParseYaml(std::string_view text, const std::string& file_name);

// Reads a regular file and parses it. The code of the error is kNotFound, kPermissionDenied or
// kInvalidArgument.
Result<ConfigNode> LoadFile(const std::string& file_name);

// The tree as YAML that ParseYaml reads back to the same keys, lists and texts, except that secrets
// are written as `<redacted>`: the values of keys that look secret (password, secret, token,
// conninfo, ... unless they end in _file or _path), passwords in URLs and in PostgreSQL connection
// strings. For people: what is in force.
std::string Render(const ConfigNode& node);

}  // namespace spire_exporter

#endif  // EXPORTER_CONFIG_YAML_H_
