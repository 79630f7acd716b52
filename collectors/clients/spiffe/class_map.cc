#include "collectors/clients/spiffe/class_map.h"

#include <algorithm>

#include "collectors/clients/spiffe/spiffe_id.h"
#include "exporter/base/text.h"

namespace spire_exporter::spiffe {
namespace {

constexpr size_t kIdMax = 2048;
constexpr size_t kTrustDomainMax = 255;
constexpr size_t kNameMax = 32;
// Of one segment: what a search may have to try grows with them.
constexpr ptrdiff_t kStarsMax = 4;

bool IsLowerOrDigit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool IsDomainByte(char c) {
  return IsLowerOrDigit(c) || c == '.' || c == '-' || c == '_';
}

bool IsPatternByte(char c) {
  return IsDomainByte(c) || (c >= 'A' && c <= 'Z') || c == '*';
}

bool IsPatternSegment(std::string_view segment) {
  return !segment.empty() && segment != "." && segment != ".." &&
         std::all_of(segment.begin(), segment.end(), IsPatternByte) &&
         segment.find("**") == std::string_view::npos &&
         std::count(segment.begin(), segment.end(), '*') <= kStarsMax;
}

bool IsName(std::string_view name) {
  return !name.empty() && name.size() <= kNameMax && name != ClassMap::kOther &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return IsLowerOrDigit(c) || c == '-' || c == '_'; });
}

// `*` is any run of bytes. After a mismatch only the last star is tried with more, which is enough.
bool GlobMatches(std::string_view pattern, std::string_view text) {
  size_t p = 0, t = 0;
  size_t star = std::string_view::npos, from = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      from = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++from;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

Error Bad(size_t number, const char* key, std::string_view text, const char* expected) {
  return Error{Code::kInvalidArgument,
               "classes[" + std::to_string(number) + "]." + key + ": " + Quoted(text) +
                   ": expected " + expected,
               "", false};
}

}  // namespace

ClassMap::ClassMap() : names_{std::string(kOther)}, nodes_(1) {}

Result<ClassMap> ClassMap::Make(std::span<const ClassOptions> options) {
  if (options.size() > kClassesMax) {
    return Error{Code::kInvalidArgument,
                 "classes: expected at most " + std::to_string(kClassesMax) + " entries", "",
                 false};
  }
  ClassMap map;
  map.names_.clear();
  for (size_t i = 0; i < options.size(); ++i) {
    const ClassOptions& option = options[i];
    if (!IsName(option.name)) {
      return Bad(i, "name", option.name,
                 "1 to 32 lower case letters, digits, `-` and `_`, and not `other`");
    }
    if (!map.Insert(option.match, static_cast<uint32_t>(i)).ok()) {
      return Bad(i, "match", option.match,
                 "a SPIFFE ID whose segments may have `*` in them and which may end in `/**`");
    }
    const auto known = std::find(map.names_.begin(), map.names_.end(), option.name);
    map.class_of_.push_back(static_cast<uint32_t>(known - map.names_.begin()));
    if (known == map.names_.end()) map.names_.push_back(option.name);
  }
  map.names_.emplace_back(kOther);
  return map;
}

Status ClassMap::Insert(std::string_view pattern, uint32_t number) {
  const Error bad{Code::kInvalidArgument, "not a pattern", "", false};
  if (pattern.size() > kIdMax || !pattern.starts_with(kSpiffeScheme)) return bad;
  pattern.remove_prefix(kSpiffeScheme.size());
  const bool open = pattern.ends_with("/**");
  if (open) pattern.remove_suffix(3);
  const std::vector<std::string_view> parts = Split(pattern, '/');
  const std::string_view domain = parts.front();
  if (domain.empty() || domain.size() > kTrustDomainMax ||
      !std::all_of(domain.begin(), domain.end(), IsDomainByte) ||
      !std::all_of(parts.begin() + 1, parts.end(), IsPatternSegment)) {
    return bad;
  }
  uint32_t at = 0;
  for (const std::string_view part : parts) {
    nodes_[at].first = std::min(nodes_[at].first, number);
    std::vector<Edge>& edges = nodes_[at].edges;
    const auto known = std::find_if(edges.begin(), edges.end(),
                                    [&](const Edge& edge) { return edge.segment == part; });
    if (known != edges.end()) {
      at = known->to;
      continue;
    }
    const auto next = static_cast<uint32_t>(nodes_.size());
    edges.push_back({std::string(part), part.find('*') != std::string_view::npos, next});
    nodes_.emplace_back();  // `edges` is gone now
    at = next;
  }
  nodes_[at].first = std::min(nodes_[at].first, number);
  uint32_t& end = open ? nodes_[at].open_end : nodes_[at].ends;
  end = std::min(end, number);
  return {};
}

void ClassMap::Search(uint32_t node, std::string_view rest, uint32_t& best) const {
  const Node& here = nodes_[node];
  if (rest.empty()) {
    best = std::min(best, here.ends);
    return;
  }
  // Left of a segment is its slash, but for the trust domain.
  if (node != 0) {
    if (rest.front() != '/' || rest.size() == 1) return;
    best = std::min(best, here.open_end);
    rest.remove_prefix(1);
  }
  const std::string_view segment = rest.substr(0, rest.find('/'));
  if (segment.empty()) return;
  for (const Edge& edge : here.edges) {
    if (nodes_[edge.to].first >= best) return;
    if (edge.glob ? GlobMatches(edge.segment, segment) : edge.segment == segment) {
      Search(edge.to, rest.substr(segment.size()), best);
    }
  }
}

size_t ClassMap::Find(std::string_view id) const {
  const size_t other = names_.size() - 1;
  if (trivial() || id.size() > kIdMax || !id.starts_with(kSpiffeScheme)) return other;
  uint32_t best = kNone;
  Search(0, id.substr(kSpiffeScheme.size()), best);
  return best == kNone ? other : class_of_[best];
}

}  // namespace spire_exporter::spiffe
