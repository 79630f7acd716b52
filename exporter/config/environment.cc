#include "exporter/config/environment.h"

#include <algorithm>
#include <map>
#include <utility>

#include "exporter/base/text.h"
#include "exporter/base/utf8.h"

namespace spire_exporter {
namespace {

constexpr std::string_view kPrefix = "SPIRE_EXPORTER_";

bool IsDigits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// `9925_TCP`, `9925_TCP_ADDR`: what Kubernetes writes behind PORT_.
bool IsServicePortTail(std::string_view tail) {
  const std::vector<std::string_view> parts = Split(tail, '_');
  if (parts.size() < 2 || parts.size() > 3 || !IsDigits(parts[0])) return false;
  if (parts[1] != "TCP" && parts[1] != "UDP" && parts[1] != "SCTP") return false;
  return parts.size() == 2 || parts[2] == "PROTO" || parts[2] == "PORT" || parts[2] == "ADDR";
}

// Kubernetes gives every container of a namespace the addresses of its Services. With a Service
// called spire-exporter these names start like ours, and nobody wrote them.
bool IsServiceLink(std::string_view name, std::string_view value) {
  std::string_view rest = name.substr(kPrefix.size());
  if (rest.find("__") != std::string_view::npos) return false;
  if (rest == "SERVICE_HOST" || rest.ends_with("_SERVICE_HOST")) return true;
  const bool url =
      value.starts_with("tcp://") || value.starts_with("udp://") || value.starts_with("sctp://");
  if ((rest == "PORT" || rest.ends_with("_PORT")) && url) return true;
  // SERVICE_PORT, SERVICE_PORT_<port name>, <service>_SERVICE_PORT[_<port name>]
  const size_t service = rest.find("SERVICE_PORT");
  if (service != std::string_view::npos && IsDigits(value) &&
      (service == 0 || rest[service - 1] == '_')) {
    const std::string_view tail = rest.substr(service + std::string_view("SERVICE_PORT").size());
    if (tail.empty() || tail[0] == '_') return true;
  }
  for (size_t at = rest.find("PORT_"); at != std::string_view::npos;
       at = rest.find("PORT_", at + 1)) {
    if ((at == 0 || rest[at - 1] == '_') && IsServicePortTail(rest.substr(at + 5))) return true;
  }
  return false;
}

Error Wrong(const std::string& name, std::string what) {
  return Error{Code::kInvalidArgument, std::move(what), "environment " + name, false};
}

Error UnknownName(const std::string& name, const KnownKeys& known) {
  for (const std::string& path : known.lists) {
    if (EnvironmentName(path) == name) {
      return Wrong(name, path +
                             " is a list: expected it in the configuration file, since only "
                             "single values can be set by environment");
    }
  }
  std::vector<std::string> names;
  for (const std::string& path : known.scalars) names.push_back(EnvironmentName(path));
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  const std::string_view near = NearestName(name, candidates);
  std::string what = "stands for no key of the configuration";
  if (!near.empty()) what += ": did you mean " + std::string(near) + "?";
  return Wrong(name, std::move(what));
}

}  // namespace

std::string EnvironmentName(std::string_view dotted_path) {
  std::string name(kPrefix);
  for (const char c : dotted_path) {
    if (c == '.') {
      name += "__";
    } else {
      const bool lower = c >= 'a' && c <= 'z';
      name += lower ? static_cast<char>(c - 'a' + 'A') : (c == '-' ? '_' : c);
    }
  }
  return name;
}

Result<ConfigNode> ApplyEnvironment(ConfigNode config, std::span<const std::string> environment,
                                    const KnownKeys& known) {
  std::map<std::string, std::string> paths;
  for (const std::string& path : known.scalars) paths.emplace(EnvironmentName(path), path);

  std::map<std::string, std::string> values;  // sorted: the order of the environment says nothing
  for (const std::string& variable : environment) {
    if (!variable.starts_with(kPrefix)) continue;
    const size_t sign = std::min(variable.find('='), variable.size());
    values.emplace(variable.substr(0, sign),
                   sign < variable.size() ? variable.substr(sign + 1) : std::string());
  }

  for (const auto& [name, value] : values) {
    const auto path = paths.find(name);
    if (path == paths.end()) {
      if (IsServiceLink(name, value)) continue;
      return UnknownName(name, known);
    }
    if (FindInvalidUtf8(value) != std::string::npos) {
      return Wrong(name, path->second + ": a byte is not UTF-8: expected UTF-8 text");
    }
    config = config.With(path->second, "environment " + name, value);
  }
  return config;
}

}  // namespace spire_exporter
