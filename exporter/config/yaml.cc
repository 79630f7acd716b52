#include "exporter/config/yaml.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <exception>
#include <sstream>
#include <unordered_map>
#include <utility>
#include <vector>

#include "exporter/base/text.h"
#include "exporter/base/unique_fd.h"
#include "exporter/base/utf8.h"

namespace spire_exporter {
namespace {

Error At(std::string where, std::string what) {
  return Error{Code::kInvalidArgument, std::move(what), std::move(where), false};
}

std::string TooDeep() {
  return "maps and lists too deep: expected at most " + std::to_string(kMaxYamlDepth) +
         " within each other";
}

// Leaves yaml-cpp's parser, which knows no other way to stop early; caught in ParseYaml.
class Refused : public std::exception {
 public:
  Refused(Error error, bool odd_key) : error_(std::move(error)), odd_key_(odd_key) {}
  const Error& error() const { return error_; }
  bool odd_key() const { return odd_key_; }

 private:
  Error error_;
  bool odd_key_;
};

bool Forbidden(uint32_t code_point) {
  const bool blank = code_point == '\t' || code_point == '\n' || code_point == '\r';
  return (code_point < 0x20 && !blank) || code_point == 0x7F;
}

// yaml-cpp takes 0x04 for the end of the file and guesses UTF-16 from zero bytes, so bytes are
// looked at before it sees them.
Status CheckBytes(std::string_view text, const std::string& file_name) {
  if (text.size() > kMaxYamlBytes) {
    return At(file_name, "the file is too large: expected at most " + FormatSize(kMaxYamlBytes));
  }
  size_t line = 1;
  size_t line_start = 0;
  for (size_t at = 0; at < text.size();) {
    const Utf8Char next = DecodeUtf8(text.substr(at));
    if (next.length == 0 || Forbidden(next.code_point)) {
      return At(file_name + ":" + std::to_string(line) + ":" + std::to_string(at - line_start + 1),
                next.length == 0 ? "a byte is not UTF-8: expected UTF-8 text"
                                 : "a control character: expected text");
    }
    at += next.length;
    if (next.code_point == '\n') {
      ++line;
      line_start = at;
    }
  }
  return {};
}

// Whether YAML's core schema takes a plain scalar for something else than a string.
bool LooksTyped(const std::string& text) {
  std::string lower = text;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const char* word : {"", "~", "null", "true", "false", "yes", "no", "on", "off"}) {
    if (lower == word) return true;
  }
  const char* begin = lower.data() + (lower[0] == '+' || lower[0] == '-' ? 1 : 0);
  double number = 0;
  const auto parsed = std::from_chars(begin, lower.data() + lower.size(), number);
  return parsed.ec != std::errc::invalid_argument && parsed.ptr == lower.data() + lower.size();
}

// Builds the tree from yaml-cpp's events, which come in file order and carry every place; its own
// node type has lost duplicate keys by the time it is handed out.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(const std::string& file_name) : file_name_(file_name) {}

  bool complete() const { return complete_; }
  ConfigNode TakeRoot() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (complete_) Refuse(mark, "a second document: expected one");
  }
  void OnDocumentEnd() override { complete_ = true; }

  void OnAnchor(const YAML::Mark& mark, const std::string&) override { RefuseAnchor(mark); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { RefuseAnchor(mark); }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (anchor != YAML::NullAnchor) RefuseAnchor(mark);
    if (AtKey()) RefuseKey(mark, "an empty key: expected a string");
    Add(mark, ConfigNode::Null(ChildPath(mark), Where(mark)));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    CheckProperties(mark, tag, anchor);
    for (size_t at = 0; at < text.size();) {
      const Utf8Char next = DecodeUtf8(std::string_view(text).substr(at));
      if (next.length == 0 || Forbidden(next.code_point)) {
        Refuse(mark, "an escaped control character: expected text");
      }
      at += next.length;
    }
    if (AtKey()) {
      SetKey(mark, tag, text);
    } else {
      Add(mark, ConfigNode::Scalar(ChildPath(mark), Where(mark), text));
    }
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    CheckProperties(mark, tag, anchor);
    Open(mark, false);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    CheckProperties(mark, tag, anchor);
    Open(mark, true);
  }
  void OnSequenceEnd() override {
    Frame frame = Close();
    Add(frame.mark,
        ConfigNode::Sequence(std::move(frame.path), Where(frame.mark), std::move(frame.items)));
  }
  void OnMapEnd() override {
    Frame frame = Close();
    Add(frame.mark,
        ConfigNode::Map(std::move(frame.path), Where(frame.mark), std::move(frame.entries)));
  }

 private:
  // A map or list that is not finished yet.
  struct Frame {
    bool is_map = false;
    bool has_key = false;  // the last entry waits for its value
    YAML::Mark mark;
    std::string path;
    std::vector<ConfigNode::Entry> entries;
    std::unordered_map<std::string, int> key_lines;
    std::vector<ConfigNode> items;
  };

  std::string Where(const YAML::Mark& mark) const {
    return file_name_ + ":" + std::to_string(mark.line + 1) + ":" + std::to_string(mark.column + 1);
  }
  [[noreturn]] void Refuse(const YAML::Mark& mark, std::string what) const {
    throw Refused(At(Where(mark), std::move(what)), false);
  }
  [[noreturn]] void RefuseKey(const YAML::Mark& mark, std::string what) const {
    throw Refused(At(Where(mark), std::move(what)), true);
  }
  [[noreturn]] void RefuseAnchor(const YAML::Mark& mark) const {
    Refuse(mark, "an anchor or alias: expected the value itself");
  }
  void CheckProperties(const YAML::Mark& mark, const std::string& tag,
                       YAML::anchor_t anchor) const {
    if (anchor != YAML::NullAnchor) RefuseAnchor(mark);
    // `?` and `!` are what yaml-cpp gives plain and quoted scalars without a tag.
    if (!tag.empty() && tag != "?" && tag != "!") {
      Refuse(mark, "tag " + Quoted(tag) + ": expected a value without a tag");
    }
  }

  bool AtKey() const {
    return !frames_.empty() && frames_.back().is_map && !frames_.back().has_key;
  }

  std::string ChildPath(const YAML::Mark& mark) const {
    if (frames_.empty()) return {};
    const Frame& frame = frames_.back();
    std::string path = frame.path;
    if (frame.is_map) {
      if (!path.empty()) path += '.';
      path += frame.entries.back().key;
    } else {
      path += "[" + std::to_string(frame.items.size()) + "]";
    }
    if (path.size() > kMaxYamlPathBytes) Refuse(mark, "keys nested within each other are too long");
    return path;
  }

  void SetKey(const YAML::Mark& mark, const std::string& tag, const std::string& key) {
    if (key.size() > kMaxYamlKeyBytes) {
      Refuse(mark, "a key of " + std::to_string(key.size()) + " bytes: expected at most " +
                       std::to_string(kMaxYamlKeyBytes));
    }
    // Keys stand in messages as they are, each of which is one line.
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; };
    if (std::any_of(key.begin(), key.end(), is_control)) {
      RefuseKey(mark, "a line break or control character in key " + Quoted(key));
    }
    if (tag != "!" && LooksTyped(key)) {
      RefuseKey(mark,
                "key " + Quoted(key) + " is not a string: expected a name, or quotes around it");
    }
    Frame& frame = frames_.back();
    const auto [first, added] = frame.key_lines.emplace(key, mark.line + 1);
    if (!added) {
      Refuse(mark, "duplicate key " + Quoted(key) + ": the first is in line " +
                       std::to_string(first->second));
    }
    frame.entries.push_back({key, Where(mark), ConfigNode()});
    frame.has_key = true;
  }

  void Open(const YAML::Mark& mark, bool is_map) {
    if (AtKey()) RefuseKey(mark, "a map or list as a key: expected a string");
    if (frames_.size() >= kMaxYamlDepth) {
      Refuse(mark, TooDeep());
    }
    Frame frame;
    frame.is_map = is_map;
    frame.mark = mark;
    frame.path = ChildPath(mark);
    frames_.push_back(std::move(frame));
  }

  Frame Close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    return frame;
  }

  void Add(const YAML::Mark& mark, ConfigNode node) {
    if (++nodes_ > kMaxYamlNodes) {
      Refuse(mark, "too many values: expected at most " + std::to_string(kMaxYamlNodes));
    }
    if (frames_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = frames_.back();
    if (frame.is_map) {
      frame.entries.back().value = std::move(node);
      frame.has_key = false;
    } else {
      frame.items.push_back(std::move(node));
    }
  }

  const std::string& file_name_;
  ConfigNode root_;
  std::vector<Frame> frames_;
  size_t nodes_ = 0;
  bool complete_ = false;
};

// Sees the events and keeps nothing.
class SyntaxOnly final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

Error SyntaxError(const YAML::Exception& e, const std::string& file_name) {
  std::string place = file_name + ":1:1";
  if (!e.mark.is_null()) {
    place =
        file_name + ":" + std::to_string(e.mark.line + 1) + ":" + std::to_string(e.mark.column + 1);
  }
  return At(std::move(place), "not YAML: " + e.msg);
}

// A forgotten bracket makes yaml-cpp announce what stands before the end as a key, and only then
// miss the bracket. Whoever forgot it should hear of the bracket.
Error Explain(const Refused& refused, std::string_view text, const std::string& file_name) {
  if (!refused.odd_key()) return refused.error();
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    SyntaxOnly nothing;
    // Once: a stray `%` makes yaml-cpp 0.7 hand out empty documents for ever.
    parser.HandleNextDocument(nothing);
  } catch (const YAML::DeepRecursion&) {  // its text is that of another error in yaml-cpp 0.7
    return At(refused.error().where, TooDeep());
  } catch (const YAML::Exception& e) {
    return SyntaxError(e, file_name);
  }
  return refused.error();
}

Result<ConfigNode> Build(std::string_view text, const std::string& file_name) {
  TreeBuilder builder(file_name);
  std::istringstream stream{std::string(text)};
  YAML::Parser parser(stream);
  while (parser.HandleNextDocument(builder)) {
  }
  const std::string start = file_name + ":1:1";
  ConfigNode root = builder.TakeRoot();
  if (!root.present()) return ConfigNode::Map("", start, {});
  if (root.kind() != ConfigNode::Kind::kMap) {
    return At(root.where(), "the file is not a map: expected `key: value` lines");
  }
  return root;
}

Error FileError(const std::string& file_name, int error_number) {
  Code code = Code::kInvalidArgument;
  if (error_number == ENOENT || error_number == ENOTDIR) code = Code::kNotFound;
  if (error_number == EACCES || error_number == EPERM) code = Code::kPermissionDenied;
  return Error{code, "cannot be read: " + ErrnoText(error_number), file_name, false};
}

}  // namespace

Result<ConfigNode> ParseYaml(std::string_view text, const std::string& file_name) {
  if (const Status bytes = CheckBytes(text, file_name); !bytes.ok()) return bytes.error();
  try {
    return Build(text, file_name);
  } catch (const Refused& refused) {
    return Explain(refused, text, file_name);
  } catch (const YAML::Exception& e) {
    return SyntaxError(e, file_name);
  } catch (const std::exception& e) {
    return At(file_name + ":1:1", "not YAML: " + std::string(e.what()));
  }
}

Result<ConfigNode> LoadFile(const std::string& file_name) {
  // O_NONBLOCK: opening a pipe must not wait for a writer before it is refused below.
  const UniqueFd fd(open(file_name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) return FileError(file_name, errno);
  struct stat status {};
  if (fstat(fd.get(), &status) != 0) return FileError(file_name, errno);
  if (S_ISDIR(status.st_mode)) return FileError(file_name, EISDIR);
  if (!S_ISREG(status.st_mode)) return At(file_name, "not a regular file: expected a YAML file");

  std::string text;
  std::vector<char> buffer(64 * 1024);
  while (text.size() <= kMaxYamlBytes) {
    const ssize_t got = read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FileError(file_name, errno);
    if (got == 0) break;
    text.append(buffer.data(), static_cast<size_t>(got));
  }
  return ParseYaml(text, file_name);
}

}  // namespace spire_exporter
