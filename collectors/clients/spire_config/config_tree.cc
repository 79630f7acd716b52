#include "collectors/clients/spire_config/config_tree.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "collectors/clients/spire_config/config_lexer.h"
#include "exporter/base/ascii.h"
#include "exporter/base/keyed_hash.h"

namespace spire_exporter::spire_config {
namespace {

using Kind = Node::Kind;

// A fixed key: two processes have to agree.
uint64_t Digest(std::string_view text) {
  return KeyedHash(0x73706972'65636f6e, 0x66696764'72696674)(text);
}

// What is left of each rule below some place.
struct Wanted {
  std::string_view rest;  // empty: the rule is about this very value
  Keep keep;
  bool by_key;  // its last key was a `*`
};
using Wants = std::vector<Wanted>;

Wants Below(const Wants& wants, std::string_view key) {
  Wants below;
  for (const Wanted& want : wants) {
    if (want.rest.empty()) continue;
    const size_t dot = want.rest.find('.');
    const std::string_view first = want.rest.substr(0, dot);
    if (first != "*" && !SameKey(first, key)) continue;
    below.push_back({dot == std::string_view::npos ? std::string_view() : want.rest.substr(dot + 1),
                     want.keep, first == "*"});
  }
  return below;
}

// The rule about this very value, or null.
const Wanted* Exact(const Wants& wants) {
  for (const Wanted& want : wants) {
    if (want.rest.empty()) return &want;
  }
  return nullptr;
}

bool Drops(const Wanted& rule) {
  return rule.keep == Keep::kPresence || rule.keep == Keep::kDigest;
}

bool AnyDeeper(const Wants& wants) {
  return std::any_of(wants.begin(), wants.end(),
                     [](const Wanted& want) { return !want.rest.empty(); });
}

class Parser {
 public:
  Parser(std::string_view text, std::string_view file, bool json)
      : file_(file), json_(json), lexer_(text, json) {
    Advance();
  }

  Result<Node> Parse(const Wants& wants) {
    Node root;
    root.line = root.column = 1;
    bool good = true;
    if (json_) {
      Advance();  // its brace
      good = ReadItems(Token::Kind::kCloseBrace, wants, &root, 1);
      if (good && token_.kind != Token::Kind::kEnd) {
        good = Fail("something behind the closing brace");
      }
    } else {
      good = ReadItems(Token::Kind::kEnd, wants, &root, 1);
    }
    if (!good) return error_;
    root.empty = root.children.empty();
    return root;
  }

 private:
  void Advance() { token_ = lexer_.Next(); }

  bool Fail(const char* what, Code code = Code::kInvalidArgument) {
    error_.code = code;
    error_.what = token_.kind == Token::Kind::kBad ? token_.problem : what;
    error_.where = std::string(file_) + ":" + std::to_string(token_.line) + ":" +
                   std::to_string(token_.column);
    return false;
  }

  bool TooMuch(const char* what) { return Fail(what, Code::kResourceExhausted); }

  Node* Put(Node* into, Node node) {
    if (into == nullptr) return nullptr;
    ++nodes_;
    into->children.push_back(std::move(node));
    return &into->children.back();
  }

  // The items of an object up to `end`, which is passed.
  bool ReadItems(Token::Kind end, const Wants& wants, Node* into, int depth) {
    if (depth > kMaxConfigDepth) return TooMuch("nested too deep");
    bool separated = true;  // by a comma, or nothing came yet
    for (bool first = true;;) {
      if (token_.kind == end) {
        if (json_ && separated && !first) return Fail("a comma that nothing stands behind");
        Advance();
        return true;
      }
      if (token_.kind == Token::Kind::kComma) {
        if (separated) return Fail("a comma that nothing stands before");
        separated = true;
        Advance();
        continue;
      }
      if (json_ && !separated) return Fail("expected a comma");
      if (!ReadItem(wants, into, depth)) return false;
      separated = first = false;
    }
  }

  // key {label} ( = value | object )
  bool ReadItem(const Wants& wants, Node* into, int depth) {
    Wants below = wants;
    Node* parent = into;
    Node node;
    int keys = 0;
    while (token_.kind == Token::Kind::kString || token_.kind == Token::Kind::kIdentifier) {
      if (depth + ++keys > kMaxConfigDepth) return TooMuch("nested too deep");
      std::string key;
      if (!Decode(token_, &key)) return Fail("an escape that there is not");
      if (keys > 1) parent = Open(parent, std::move(node), below);
      node = Node();
      node.line = token_.line;
      node.column = token_.column;
      below = Below(below, key);
      const Wanted* exact = Exact(below);
      if (exact != nullptr && exact->keep == Keep::kDigest && exact->by_key) {
        node.digest = Digest(key);
      } else if (!below.empty()) {
        node.key = std::move(key);
      }
      Advance();
    }
    if (keys == 0) return Fail("expected a key");
    if (token_.kind == Token::Kind::kAssign) {
      if (keys > 1) return Fail("expected a brace behind a label");
      Advance();
    } else if (token_.kind != Token::Kind::kOpenBrace || json_) {
      return Fail(json_ ? "expected a colon behind a key" : "expected = or a brace behind a key");
    }
    return ReadValue(std::move(node), below, parent, depth + keys);
  }

  // A block that a label stands in: an object around what follows. Null where nothing is kept.
  Node* Open(Node* parent, Node node, const Wants& wants) {
    if (parent == nullptr || wants.empty()) return nullptr;
    const Wanted* exact = Exact(wants);
    if (exact != nullptr && Drops(*exact)) {
      node.kind = Kind::kDropped;
      Put(parent, std::move(node));
      return nullptr;
    }
    return Put(parent, std::move(node));
  }

  // The value at the token, into `node`, which becomes a child of `parent` where a rule says so.
  bool ReadValue(Node node, const Wants& wants, Node* parent, int depth) {
    if (nodes_ > kMaxConfigNodes) return TooMuch("too many settings");
    const Wanted* exact = Exact(wants);
    const bool deeper = AnyDeeper(wants);
    if (token_.kind == Token::Kind::kOpenBrace) {
      Advance();
      if (parent == nullptr || wants.empty()) {
        return ReadItems(Token::Kind::kCloseBrace, {}, nullptr, depth);
      }
      const bool drops = exact != nullptr && Drops(*exact);
      node.empty = token_.kind == Token::Kind::kCloseBrace;
      if (drops) {
        node.kind = Kind::kDropped;
        Put(parent, std::move(node));
        return ReadItems(Token::Kind::kCloseBrace, {}, nullptr, depth);
      }
      Node object = std::move(node);
      if (!ReadItems(Token::Kind::kCloseBrace, wants, &object, depth)) return false;
      Put(parent, std::move(object));
      return true;
    }
    if (token_.kind == Token::Kind::kOpenBracket) {
      return ReadList(std::move(node), wants, parent, depth);
    }
    if (parent == nullptr || (exact == nullptr && !deeper)) return SkipScalar();
    return ReadScalar(std::move(node), exact, parent);
  }

  bool ReadList(Node node, const Wants& wants, Node* parent, int depth) {
    if (depth >= kMaxConfigDepth) return TooMuch("nested too deep");
    Advance();
    const bool keeps = parent != nullptr && !wants.empty();
    node.kind = Kind::kList;
    node.empty = token_.kind == Token::Kind::kCloseBracket;
    while (token_.kind != Token::Kind::kCloseBracket) {
      Node item;
      item.line = token_.line;
      item.column = token_.column;
      if (!ReadValue(std::move(item), wants, keeps ? &node : nullptr, depth + 1)) return false;
      if (token_.kind == Token::Kind::kCloseBracket) break;
      if (token_.kind != Token::Kind::kComma) return Fail("expected a comma or the list's end");
      Advance();
      if (json_ && token_.kind == Token::Kind::kCloseBracket) {
        return Fail("a comma that nothing stands behind");
      }
    }
    Advance();
    if (keeps) Put(parent, std::move(node));
    return true;
  }

  bool IsScalar() const {
    switch (token_.kind) {
      case Token::Kind::kString:
      case Token::Kind::kHeredoc:
      case Token::Kind::kNumber:
      case Token::Kind::kEnvironment:
        return true;
      case Token::Kind::kIdentifier:
        return token_.raw == "true" || token_.raw == "false" || (json_ && token_.raw == "null");
      default:
        return false;
    }
  }

  bool SkipScalar() {
    if (!IsScalar()) return Fail("expected a value");
    Advance();
    return true;
  }

  // A scalar in the place of an object (`exact` null) is none of ours.
  bool ReadScalar(Node node, const Wanted* exact, Node* parent) {
    if (!IsScalar()) return Fail("expected a value");
    if (exact == nullptr || exact->keep == Keep::kBlock ||
        (json_ && token_.raw == "null" && token_.kind == Token::Kind::kIdentifier)) {
      return SkipScalar();
    }
    std::string text;
    if (!Decode(token_, &text)) return Fail("an escape that there is not");
    node.empty = text.empty();
    if (Drops(*exact)) {
      node.kind = Kind::kDropped;
      if (exact->keep == Keep::kDigest && !exact->by_key) node.digest = Digest(text);
    } else if (token_.HasEnvironment()) {
      node.kind = Kind::kEnvironment;
    } else {
      node.kind = token_.kind == Token::Kind::kNumber       ? Kind::kNumber
                  : token_.kind == Token::Kind::kIdentifier ? Kind::kBool
                                                            : Kind::kString;
      node.text = text;
    }
    explicit_bzero(text.data(), text.size());
    Put(parent, std::move(node));
    Advance();
    return true;
  }

  const std::string_view file_;
  const bool json_;
  Lexer lexer_;
  Token token_;
  size_t nodes_ = 0;
  Error error_;
};

void Expand(const Node& value, std::vector<const Node*>* out) {
  if (value.kind == Kind::kList && !value.children.empty() &&
      std::all_of(value.children.begin(), value.children.end(),
                  [](const Node& item) { return item.kind == Kind::kObject; })) {
    for (const Node& item : value.children) out->push_back(&item);
    return;
  }
  out->push_back(&value);
}

}  // namespace

bool SameKey(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return Lower(x) == Lower(y); });
}

Result<Node> ParseConfigTree(std::string_view text, std::string_view file,
                             std::span<const KeepRule> rules) {
  if (text.size() > kMaxConfigBytes) {
    return Error{Code::kResourceExhausted, "more than 1 MiB", std::string(file)};
  }
  Wants wants;
  wants.reserve(rules.size());
  for (const KeepRule& rule : rules) wants.push_back({rule.path, rule.keep, false});
  const size_t first = text.find_first_not_of(" \t\r\n\v\f");
  return Parser(text, file, first != std::string_view::npos && text[first] == '{').Parse(wants);
}

std::vector<const Node*> FindAll(const Node& root, std::string_view path) {
  std::vector<const Node*> found = {&root};
  while (!path.empty()) {
    const size_t dot = path.find('.');
    const std::string_view key = path.substr(0, dot);
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
    std::vector<const Node*> below;
    for (const Node* node : found) {
      if (node->kind != Kind::kObject) continue;
      for (const Node& child : node->children) {
        if (SameKey(child.key, key)) Expand(child, &below);
      }
    }
    found = std::move(below);
  }
  return found;
}

}  // namespace spire_exporter::spire_config
