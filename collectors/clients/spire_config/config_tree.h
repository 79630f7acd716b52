// SPIRE's own configuration files, HCL 1 or JSON, as a tree that holds what was asked for and
// nothing else. Such a file has passwords and tokens in it: what no rule names is dropped while it
// is read, its keys included, and never lives in the tree, in an error or in a log.
#ifndef COLLECTORS_CLIENTS_SPIRE_CONFIG_CONFIG_TREE_H_
#define COLLECTORS_CLIENTS_SPIRE_CONFIG_CONFIG_TREE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/base/result.h"

namespace spire_exporter::spire_config {

inline constexpr size_t kMaxConfigBytes = size_t{1} << 20;
inline constexpr int kMaxConfigDepth = 32;
inline constexpr size_t kMaxConfigNodes = 8192;

// What of a value the tree gets.
enum class Keep {
  kValue,     // a scalar's text; the items of a list
  kPresence,  // that it is there and whether it is empty; of a list the number of its items
  kBlock,     // that an object of this key is there, and what other rules say of its inside
  kDigest,    // as kPresence, with a hash of each text; where the rule ends in `*`, of the key
              // instead
};

// `path` is dotted, from the top: `server.trust_domain`; a `*` stands for any one key. A label of a
// block is a key: `plugins.*.*` are all plugins. Keys are compared as SPIRE does, without case.
struct KeepRule {
  std::string_view path;
  Keep keep = Keep::kValue;
};

struct Node {
  enum class Kind {
    kObject,
    kList,
    kString,
    kNumber,
    kBool,         // text is `true` or `false`
    kEnvironment,  // has a `$`, which SPIRE replaces when it is told to; its text is dropped
    kDropped,      // by a rule that keeps less
  };

  std::string key;  // empty in a list, and where a digest stands for it
  Kind kind = Kind::kObject;
  std::string text;     // of a scalar that is kept
  bool empty = false;   // an empty text, list or object
  uint64_t digest = 0;  // for Keep::kDigest; equal texts of any process have equal ones
  uint32_t line = 0;    // of the key, or of the item in a list; from 1
  uint32_t column = 0;  // in bytes, from 1
  // Of an object in the order of the file, repeated keys and blocks as often as they come.
  std::vector<Node> children;
};

// Reads a whole file. `file` is how errors name it. Strict in form (what does not nest or does not
// end is kInvalidArgument with file:line:column) and in size (kResourceExhausted for more than
// kMaxConfigBytes, kMaxConfigDepth or kMaxConfigNodes), tolerant in keys. Text that begins with `{`
// is JSON, as for SPIRE. Errors never quote the text.
Result<Node> ParseConfigTree(std::string_view text, std::string_view file,
                             std::span<const KeepRule> rules);

// The same from a file, whose bytes are wiped from memory afterwards. Only a regular file is read:
// kNotFound, kPermissionDenied, kFailedPrecondition (another kind of file), else kUnavailable.
Result<Node> ReadConfigTree(const std::string& path, std::span<const KeepRule> rules);

// All values at a dotted path below `root`, in the order of the file: through repeated blocks, and
// through lists of objects, which mean the same.
std::vector<const Node*> FindAll(const Node& root, std::string_view path);

// `A` and `a` are one key to SPIRE.
bool SameKey(std::string_view a, std::string_view b);

}  // namespace spire_exporter::spire_config

#endif  // COLLECTORS_CLIENTS_SPIRE_CONFIG_CONFIG_TREE_H_
