// Which part of the estate a SPIFFE ID belongs to, by the operator's own names: the answer to *for
// whom?*, fit for a label, where an ID would not be.
#ifndef COLLECTORS_CLIENTS_SPIFFE_CLASS_MAP_H_
#define COLLECTORS_CLIENTS_SPIFFE_CLASS_MAP_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/base/result.h"

namespace spire_exporter::spiffe {

// One entry of `classes`.
struct ClassOptions {
  std::string name;   // lower case letters, digits, `-` and `_`, at most 32; not `other`
  std::string match;  // `spiffe://example.org/ns/pay-*/sa/*`

  bool operator==(const ClassOptions&) const = default;
};

// Immutable; safe from any thread. A pattern is a SPIFFE ID in whose path `*` stands for any
// characters of one segment, alone for one whole segment, and `/**` at the end for any segments, at
// least one. The trust domain is never a pattern. So far they are those of `allowed_spiffe_ids` in
// the web configuration, which know `*` as a whole segment alone. The first pattern that matches
// wins; several may have one name.
class ClassMap {
 public:
  static constexpr size_t kClassesMax = 50;
  static constexpr std::string_view kOther = "other";

  // Everything is `other`.
  ClassMap();
  // kInvalidArgument names the entry, `classes[3].match: ...`.
  static Result<ClassMap> Make(std::span<const ClassOptions> options);

  // The names in the order of the options, `other` last; what Find() gives is a place in here.
  const std::vector<std::string>& names() const { return names_; }
  // Whether IDs need to be looked at, at all.
  bool trivial() const { return names_.size() == 1; }

  // Any text may be asked for; what is no SPIFFE ID is `other`. One pass over the segments, some
  // 100 ns with 50 patterns; allocates nothing.
  size_t Find(std::string_view id) const;

 private:
  static constexpr uint32_t kNone = ~uint32_t{0};

  // Patterns as a tree of their segments. Nodes are numbered; the first is the root, whose edges
  // are trust domains.
  struct Edge {
    std::string segment;
    bool glob = false;
    uint32_t to = 0;
  };
  struct Node {
    std::vector<Edge> edges;    // by `first` of where they lead, rising
    uint32_t ends = kNone;      // the pattern that ends here
    uint32_t open_end = kNone;  // the pattern that goes on with any segments
    uint32_t first = kNone;     // the first pattern of all that go through here
  };

  Status Insert(std::string_view pattern, uint32_t number);
  void Search(uint32_t node, std::string_view rest, uint32_t& best) const;

  std::vector<std::string> names_;
  std::vector<uint32_t> class_of_;  // by pattern
  std::vector<Node> nodes_;
};

}  // namespace spire_exporter::spiffe

#endif  // COLLECTORS_CLIENTS_SPIFFE_CLASS_MAP_H_
