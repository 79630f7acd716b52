#include "exporter/base/config_node.h"

#include <algorithm>
#include <charconv>

#include "exporter/base/text.h"

namespace spire_exporter {

struct ConfigNode::Data {
  Kind kind = Kind::kAbsent;
  std::string path;
  std::string where;
  std::string text;
  std::vector<Entry> entries;
  std::vector<ConfigNode> items;
};

namespace {

const std::string kEmpty;

std::string ChildPath(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : path + "." + std::string(key);
}

std::string_view KindName(ConfigNode::Kind kind) {
  switch (kind) {
    case ConfigNode::Kind::kAbsent:
      return "nothing";
    case ConfigNode::Kind::kNull:
      return "an empty value";
    case ConfigNode::Kind::kScalar:
      return "a scalar";
    case ConfigNode::Kind::kSequence:
      return "a list";
    case ConfigNode::Kind::kMap:
      return "a map";
  }
  return "nothing";
}

Error Expected(const ConfigNode& node, std::string_view what) {
  const std::string got = node.kind() == ConfigNode::Kind::kScalar
                              ? Quoted(node.text())
                              : std::string(KindName(node.kind()));
  return node.Fail(got + " is wrong: expected " + std::string(what));
}

// Puts the place and the path in front of an error about the text of a scalar.
template <typename T>
Result<T> AtNode(const ConfigNode& node, Result<T> result) {
  if (result.ok()) return result;
  return node.Fail(std::move(result).error().what);
}

}  // namespace

ConfigNode ConfigNode::Absent(std::string path) {
  auto data = std::make_shared<Data>();
  data->path = std::move(path);
  return ConfigNode(std::move(data));
}

ConfigNode ConfigNode::Null(std::string path, std::string where) {
  auto data = std::make_shared<Data>();
  data->kind = Kind::kNull;
  data->path = std::move(path);
  data->where = std::move(where);
  return ConfigNode(std::move(data));
}

ConfigNode ConfigNode::Scalar(std::string path, std::string where, std::string text) {
  auto data = std::make_shared<Data>();
  data->kind = Kind::kScalar;
  data->path = std::move(path);
  data->where = std::move(where);
  data->text = std::move(text);
  return ConfigNode(std::move(data));
}

ConfigNode ConfigNode::Sequence(std::string path, std::string where,
                                std::vector<ConfigNode> items) {
  auto data = std::make_shared<Data>();
  data->kind = Kind::kSequence;
  data->path = std::move(path);
  data->where = std::move(where);
  data->items = std::move(items);
  return ConfigNode(std::move(data));
}

ConfigNode ConfigNode::Map(std::string path, std::string where, std::vector<Entry> entries) {
  auto data = std::make_shared<Data>();
  data->kind = Kind::kMap;
  data->path = std::move(path);
  data->where = std::move(where);
  data->entries = std::move(entries);
  return ConfigNode(std::move(data));
}

ConfigNode::Kind ConfigNode::kind() const {
  return data_ ? data_->kind : Kind::kAbsent;
}
const std::string& ConfigNode::path() const {
  return data_ ? data_->path : kEmpty;
}
const std::string& ConfigNode::where() const {
  return data_ ? data_->where : kEmpty;
}
const std::string& ConfigNode::text() const {
  return data_ ? data_->text : kEmpty;
}

std::span<const ConfigNode::Entry> ConfigNode::entries() const {
  return data_ ? std::span<const Entry>(data_->entries) : std::span<const Entry>();
}

std::span<const ConfigNode> ConfigNode::items() const {
  return data_ ? std::span<const ConfigNode>(data_->items) : std::span<const ConfigNode>();
}

ConfigNode ConfigNode::operator[](std::string_view key) const {
  for (const Entry& entry : entries()) {
    if (entry.key == key) return entry.value;
  }
  return Absent(ChildPath(path(), key));
}

Result<std::string> ConfigNode::AsString() const {
  if (kind() != Kind::kScalar) return Expected(*this, "a string");
  return text();
}

Result<bool> ConfigNode::AsBool() const {
  if (kind() == Kind::kScalar && text() == "true") return true;
  if (kind() == Kind::kScalar && text() == "false") return false;
  return Expected(*this, "true or false");
}

Result<int64_t> ConfigNode::AsInt(int64_t min, int64_t max) const {
  int64_t value = 0;
  const std::string& t = text();
  const auto parsed = std::from_chars(t.data(), t.data() + t.size(), value);
  if (kind() != Kind::kScalar || parsed.ec != std::errc() || parsed.ptr != t.data() + t.size() ||
      value < min || value > max) {
    return Expected(*this,
                    "a whole number from " + std::to_string(min) + " to " + std::to_string(max));
  }
  return value;
}

Result<double> ConfigNode::AsDouble() const {
  double value = 0;
  const std::string& t = text();
  const auto parsed = std::from_chars(t.data(), t.data() + t.size(), value);
  if (kind() != Kind::kScalar || parsed.ec != std::errc() || parsed.ptr != t.data() + t.size() ||
      value != value) {
    return Expected(*this, "a number");
  }
  return value;
}

Result<Duration> ConfigNode::AsDuration(Duration min, Duration max) const {
  if (kind() != Kind::kScalar) return Expected(*this, "a duration such as 15s");
  Result<Duration> parsed = AtNode(*this, ParseDuration(text()));
  if (parsed.ok() && (*parsed < min || *parsed > max)) {
    return Expected(*this, "a duration from " + FormatDuration(min) + " to " + FormatDuration(max));
  }
  return parsed;
}

Result<uint64_t> ConfigNode::AsSize(uint64_t max) const {
  if (kind() != Kind::kScalar) return Expected(*this, "a size such as 4MiB");
  Result<uint64_t> parsed = AtNode(*this, ParseSize(text()));
  if (parsed.ok() && *parsed > max) return Expected(*this, "at most " + FormatSize(max));
  return parsed;
}

ConfigNode ConfigNode::Put(std::string_view dotted_path, const std::string& where,
                           const std::function<ConfigNode(std::string path)>& make) const {
  const size_t dot = dotted_path.find('.');
  const std::string_view key = dotted_path.substr(0, dot);
  const ConfigNode old = (*this)[key];
  const std::string child_path = ChildPath(path(), key);
  ConfigNode child = dot == std::string_view::npos
                         ? make(child_path)
                         : (old.kind() == Kind::kMap ? old : Map(child_path, where, {}))
                               .Put(dotted_path.substr(dot + 1), where, make);
  std::vector<Entry> changed(entries().begin(), entries().end());
  const auto at = std::find_if(changed.begin(), changed.end(),
                               [key](const Entry& entry) { return entry.key == key; });
  if (at == changed.end()) {
    changed.push_back(Entry{std::string(key), where, std::move(child)});
  } else {
    at->value = std::move(child);
  }
  return Map(path(), this->where(), std::move(changed));
}

ConfigNode ConfigNode::At(std::string_view dotted_path) const {
  ConfigNode node = *this;
  for (const std::string_view key : Split(dotted_path, '.')) node = node[key];
  return node;
}

ConfigNode ConfigNode::With(std::string_view dotted_path, std::string where,
                            std::string new_text) const {
  return Put(dotted_path, where,
             [&](std::string path) { return Scalar(std::move(path), where, std::move(new_text)); });
}

ConfigNode ConfigNode::WithDefault(std::string_view dotted_path, std::string new_text) const {
  if (At(dotted_path).present()) return *this;
  return With(dotted_path, "default", std::move(new_text));
}

ConfigNode ConfigNode::WithDefault(std::string_view dotted_path,
                                   const std::vector<std::string>& list) const {
  if (At(dotted_path).present()) return *this;
  return Put(dotted_path, "default", [&list](std::string path) {
    std::vector<ConfigNode> items;
    for (const std::string& text : list) {
      items.push_back(Scalar(path + "." + std::to_string(items.size()), "default", text));
    }
    return Sequence(std::move(path), "default", std::move(items));
  });
}

Error ConfigNode::Fail(std::string what) const {
  return Error{Code::kInvalidArgument, path().empty() ? std::move(what) : path() + ": " + what,
               where(), false};
}

ConfigReader::ConfigReader(ConfigNode node) : node_(std::move(node)) {
  if (node_.present() && node_.kind() != ConfigNode::Kind::kMap) status_ = Expected(node_, "a map");
}

template <typename T>
void ConfigReader::Store(Result<T> result, T* value) {
  if (result.ok()) {
    *value = std::move(result).value();
  } else if (status_.ok()) {
    status_ = std::move(result).error();
  }
}

ConfigNode ConfigReader::Take(std::string_view key) {
  known_.push_back(key);
  return node_[key];
}

void ConfigReader::Read(std::string_view key, std::string* value) {
  const ConfigNode node = Take(key);
  if (node.present()) Store(node.AsString(), value);
}

void ConfigReader::Read(std::string_view key, bool* value) {
  const ConfigNode node = Take(key);
  if (node.present()) Store(node.AsBool(), value);
}

void ConfigReader::Read(std::string_view key, int64_t* value, int64_t min, int64_t max) {
  const ConfigNode node = Take(key);
  if (node.present()) Store(node.AsInt(min, max), value);
}

void ConfigReader::Read(std::string_view key, Duration* value, Duration min, Duration max) {
  const ConfigNode node = Take(key);
  if (node.present()) Store(node.AsDuration(min, max), value);
}

void ConfigReader::ReadSize(std::string_view key, uint64_t* value, uint64_t max) {
  const ConfigNode node = Take(key);
  if (node.present()) Store(node.AsSize(max), value);
}

void ConfigReader::Read(std::string_view key, std::vector<std::string>* value) {
  const ConfigNode node = Take(key);
  if (!node.present()) return;
  if (node.kind() == ConfigNode::Kind::kMap) {
    Check(Expected(node, "a list of strings"));
    return;
  }
  std::vector<std::string> read;
  if (node.kind() == ConfigNode::Kind::kScalar) read.push_back(node.text());
  for (const ConfigNode& item : node.items()) {
    std::string text;
    Store(item.AsString(), &text);
    read.push_back(std::move(text));
  }
  *value = std::move(read);
}

void ConfigReader::ReadChoice(std::string_view key, std::span<const std::string_view> choices,
                              size_t* index) {
  const ConfigNode node = Take(key);
  if (!node.present()) return;
  const auto at = std::find(choices.begin(), choices.end(), std::string_view(node.text()));
  if (node.kind() == ConfigNode::Kind::kScalar && at != choices.end()) {
    *index = static_cast<size_t>(at - choices.begin());
    return;
  }
  std::string expected = "one of";
  for (const std::string_view choice : choices) {
    expected += (choice == choices.front() ? " " : ", ") + std::string(choice);
  }
  Check(Expected(node, expected));
}

void ConfigReader::Check(const Status& status) {
  if (status_.ok() && !status.ok()) status_ = status;
}

void ConfigReader::Fail(std::string_view key, std::string what) {
  Check(node_[key].Fail(std::move(what)));
}

Status ConfigReader::Finish() {
  if (!status_.ok()) return status_;
  for (const ConfigNode::Entry& entry : node_.entries()) {
    if (std::find(known_.begin(), known_.end(), entry.key) != known_.end()) continue;
    const std::string_view near = NearestName(entry.key, known_);
    std::string what = ChildPath(node_.path(), entry.key) + ": unknown key";
    if (!near.empty()) what += ": did you mean " + Quoted(near) + "?";
    return Error{Code::kInvalidArgument, std::move(what), entry.where, false};
  }
  return {};
}

}  // namespace spire_exporter
