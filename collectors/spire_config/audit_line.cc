#include "collectors/spire_config/audit_line.h"

#include <algorithm>
#include <span>
#include <string>

#include "collectors/clients/spire_config/config_tree.h"

namespace spire_exporter::spire_config {
namespace {

constexpr KeepRule kRules[] = {{"type"}, {"method"}, {"status"}, {"authorized_as"}};

size_t IndexOr(std::span<const std::string_view> names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end() - 1, name);
  return static_cast<size_t>(found - names.begin());
}

struct Fields {
  std::string_view type, method, status, authorized_as;

  void Take(std::string_view key, std::string_view value) {
    if (key == "type") type = value;
    if (key == "method") method = value;
    if (key == "status") status = value;
    if (key == "authorized_as") authorized_as = value;
  }
};

// key=value and key="value" between blanks, as logrus' TextFormatter writes them. False for what
// is none of it.
bool ReadText(std::string_view line, Fields* fields) {
  while (!line.empty()) {
    if (line.front() == ' ') {
      line.remove_prefix(1);
      continue;
    }
    const size_t equals = line.find_first_of("= \"");
    if (equals == std::string_view::npos || equals == 0 || line[equals] != '=') return false;
    const std::string_view key = line.substr(0, equals);
    line.remove_prefix(equals + 1);
    size_t end = 0;
    std::string_view value;
    if (line.starts_with('"')) {
      for (end = 1; end < line.size() && line[end] != '"'; ++end) {
        if (line[end] == '\\') ++end;
      }
      if (end >= line.size()) return false;
      value = line.substr(1, end - 1);
      ++end;
      if (end < line.size() && line[end] != ' ') return false;
    } else {
      end = std::min(line.find(' '), line.size());
      value = line.substr(0, end);
      if (value.find('"') != std::string_view::npos) return false;
    }
    fields->Take(key, value);
    line.remove_prefix(end);
  }
  return true;
}

size_t CallerOf(std::string_view authorized_as) {
  return authorized_as == "nobody" || authorized_as.empty() ? IndexOr(kAuditCallers, "anyone")
                                                            : IndexOr(kAuditCallers, authorized_as);
}

}  // namespace

LineKind ReadAuditLine(std::string_view line, AuditEvent* event) {
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
  if (line.find("audit") == std::string_view::npos) return LineKind::kOther;
  Fields fields;
  Node tree;  // outlives the views
  if (line.front() == '{') {
    Result<Node> parsed = ParseConfigTree(line, "log", kRules);
    if (!parsed.ok()) return LineKind::kMalformed;
    tree = *std::move(parsed);
    for (const Node& field : tree.children) {
      if (field.kind == Node::Kind::kString) fields.Take(field.key, field.text);
    }
  } else if (!ReadText(line, &fields)) {
    return LineKind::kMalformed;
  }
  if (fields.type != "audit") return LineKind::kOther;
  event->method = IndexOr(kAuditMethods, fields.method);
  event->status = IndexOr(kAuditStatuses, fields.status);
  event->caller = CallerOf(fields.authorized_as);
  return LineKind::kAudit;
}

}  // namespace spire_exporter::spire_config
