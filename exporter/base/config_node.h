// A configuration as a read-only tree that knows where each value was written. `config` makes it
// from YAML, flags and the environment; collectors read their options from it and never see YAML.
#ifndef EXPORTER_BASE_CONFIG_NODE_H_
#define EXPORTER_BASE_CONFIG_NODE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/base/clock.h"
#include "exporter/base/result.h"

namespace spire_exporter {

// Immutable value type; copies share the tree. A missing key reads as a node of kind kAbsent, so
// lookups chain.
class ConfigNode {
 public:
  enum class Kind { kAbsent, kNull, kScalar, kSequence, kMap };
  struct Entry;

  ConfigNode() = default;  // absent
  static ConfigNode Absent(std::string path);
  static ConfigNode Null(std::string path, std::string where);
  static ConfigNode Scalar(std::string path, std::string where, std::string text);
  static ConfigNode Sequence(std::string path, std::string where, std::vector<ConfigNode> items);
  static ConfigNode Map(std::string path, std::string where, std::vector<Entry> entries);

  Kind kind() const;
  bool present() const { return kind() != Kind::kAbsent && kind() != Kind::kNull; }
  // `telemetry.scrape.url`, for messages.
  const std::string& path() const;
  // `file:line:column`, `environment NAME` or `flag --NAME`.
  const std::string& where() const;

  // The value of a key; absent when this is not a map or lacks the key.
  ConfigNode operator[](std::string_view key) const;
  std::span<const Entry> entries() const;     // of a map, in file order; else empty
  std::span<const ConfigNode> items() const;  // of a sequence; else empty
  const std::string& text() const;            // of a scalar; else empty

  // Typed readings. Each fails with the place, the path and what was expected.
  Result<std::string> AsString() const;
  Result<bool> AsBool() const;
  Result<int64_t> AsInt(int64_t min, int64_t max) const;
  Result<double> AsDouble() const;
  Result<Duration> AsDuration(Duration min, Duration max) const;
  Result<uint64_t> AsSize(uint64_t max) const;

  // The tree with `text` at a dotted path, scalars only; maps on the way are made. For overrides by
  // flag and environment.
  ConfigNode With(std::string_view dotted_path, std::string where, std::string text) const;
  // The tree with a value at a dotted path where none is present, for showing the defaults.
  ConfigNode WithDefault(std::string_view dotted_path, std::string text) const;
  ConfigNode WithDefault(std::string_view dotted_path, const std::vector<std::string>& list) const;

  // An error at this node: `what` is prefixed by the path.
  Error Fail(std::string what) const;

 private:
  struct Data;
  // The tree with the node that `make` gives for its full path at a dotted path.
  ConfigNode Put(std::string_view dotted_path, const std::string& where,
                 const std::function<ConfigNode(std::string path)>& make) const;
  ConfigNode At(std::string_view dotted_path) const;
  explicit ConfigNode(std::shared_ptr<const Data> data) : data_(std::move(data)) {}
  std::shared_ptr<const Data> data_;
};

struct ConfigNode::Entry {
  std::string key;
  std::string where;  // of the key
  ConfigNode value;
};

// Reads a map with a closed set of keys. Every reading keeps the default when the key is absent and
// remembers the first error; Finish() reports it, or the first key that was never asked for, with
// the nearest name.
//
//   ConfigReader reader(node);
//   reader.Read("url", &options.url);
//   reader.Read("interval", &options.interval, 1s, 1h);
//   return reader.Finish();
class ConfigReader {
 public:
  explicit ConfigReader(ConfigNode node);

  void Read(std::string_view key, std::string* value);
  void Read(std::string_view key, bool* value);
  void Read(std::string_view key, int64_t* value, int64_t min, int64_t max);
  void Read(std::string_view key, Duration* value, Duration min, Duration max);
  void ReadSize(std::string_view key, uint64_t* value, uint64_t max);
  // A sequence of strings; one scalar is taken as a sequence of one.
  void Read(std::string_view key, std::vector<std::string>* value);
  // One of a closed set; the index into `choices` is stored.
  void ReadChoice(std::string_view key, std::span<const std::string_view> choices, size_t* index);
  // Marks a key as known and hands out its node, for nested readers.
  ConfigNode Take(std::string_view key);
  // Takes over the error of a nested reading.
  void Check(const Status& status);
  // Reports a problem that lies in the meaning of a value that was read.
  void Fail(std::string_view key, std::string what);

  Status Finish();

 private:
  template <typename T>
  void Store(Result<T> result, T* value);

  ConfigNode node_;
  std::vector<std::string_view> known_;
  Status status_;
};

}  // namespace spire_exporter

#endif  // EXPORTER_BASE_CONFIG_NODE_H_
