#include "tests/fakes/capture.h"

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

#include "exporter/base/text.h"

namespace spire_exporter::fakes {
namespace {

std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::vector<std::filesystem::path> FilesOf(Release release, Role role, std::string_view ending) {
  const std::string start = role == Role::kServer ? "server" : "agent";
  std::vector<std::filesystem::path> files;
  const std::filesystem::path folder =
      std::filesystem::path(HOUSE_TESTDATA) / "captures" / ReleaseName(release);
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.compare(0, start.size(), start) != 0 || name.size() < ending.size()) continue;
    if (name.compare(name.size() - ending.size(), ending.size(), ending) == 0) {
      files.push_back(entry.path());
    }
  }
  return files;
}

// Frames of the files: seconds as a double, length as 32 bits, little-endian, then the datagram.
std::vector<Recording::Datagram> ParseCapture(const std::string& bytes) {
  std::vector<Recording::Datagram> datagrams;
  size_t at = 0;
  while (at + 12 <= bytes.size()) {
    double seconds = 0;
    uint32_t length = 0;
    std::memcpy(&seconds, bytes.data() + at, sizeof(seconds));
    std::memcpy(&length, bytes.data() + at + 8, sizeof(length));
    datagrams.push_back({seconds, bytes.substr(at + 12, length)});
    at += 12 + length;
  }
  return datagrams;
}

}  // namespace

std::string_view ReleaseName(Release release) {
  switch (release) {
    case Release::k1_7_2:
      return "1.7.2";
    case Release::k1_8_0:
      return "1.8.0";
    case Release::k1_13_3:
      return "1.13.3";
    case Release::k1_14_7:
      return "1.14.7";
    case Release::k1_15_3:
      break;
  }
  return "1.15.3";
}

std::map<std::string, std::vector<Recording::Datagram>> CapturedStreams(Release release,
                                                                        Role role) {
  std::map<std::string, std::vector<Recording::Datagram>> streams;
  for (const auto& path : FilesOf(release, role, ".cap")) {
    streams[path.filename().string()] = ParseCapture(ReadAll(path));
  }
  return streams;
}

std::map<std::string, ShownFamily> CapturedFamilies(Release release, Role role) {
  std::map<std::string, ShownFamily> families;
  for (const auto& path : FilesOf(release, role, ".metrics.txt")) {
    for (const auto& [name, family] : FamiliesOf(ReadAll(path))) {
      families[name].type = family.type;
      families[name].labels.insert(family.labels.begin(), family.labels.end());
    }
  }
  return families;
}

std::vector<std::string> LinesOf(std::string_view datagram) {
  std::vector<std::string> lines;
  for (const std::string_view line : Split(datagram, '\n')) {
    if (!line.empty()) lines.emplace_back(line);
  }
  return lines;
}

Line ParseLine(const std::string& line) {
  const size_t colon = line.find(':');
  const size_t bar = line.find('|', colon);
  if (colon == std::string::npos || bar == std::string::npos) {
    throw std::runtime_error("no line: " + line);
  }
  Line parsed;
  parsed.key = line.substr(0, colon);
  parsed.value = line.substr(colon + 1, bar - colon - 1);
  const size_t hash = line.find("|#", bar);
  parsed.type = line.substr(bar + 1, hash == std::string::npos ? hash : hash - bar - 1);
  if (hash != std::string::npos) {
    for (const std::string_view tag : Split(std::string_view(line).substr(hash + 2), ',')) {
      parsed.tags.emplace_back(tag);
    }
  }
  return parsed;
}

Shown ShownAs(const Line& line) {
  Shown shown{line.key, line.type, {}};
  for (const std::string& tag : line.tags) {
    if (!shown.tag_names.empty()) shown.tag_names += ',';
    shown.tag_names += tag.substr(0, tag.find(':'));
  }
  return shown;
}

bool IsSelfTelemetry(const Line& line) {
  return line.key.compare(0, 8, "datadog.") == 0;
}

std::map<std::string, ShownFamily> FamiliesOf(const std::string& page) {
  std::map<std::string, ShownFamily> families;
  ShownFamily* current = nullptr;
  std::istringstream stream(page);
  for (std::string line; std::getline(stream, line);) {
    if (line.compare(0, 7, "# TYPE ") == 0) {
      const size_t space = line.find(' ', 7);
      current = &families[line.substr(7, space - 7)];
      current->type = line.substr(space + 1);
    }
    const size_t brace = line.find('{');
    if (line[0] == '#' || brace == std::string::npos) continue;
    for (size_t at = brace + 1; line[at] != '}';) {
      const size_t equals = line.find('=', at);
      current->labels.insert(line.substr(at, equals - at));
      const size_t quote = line.find('"', equals + 2);
      at = quote + (line[quote + 1] == ',' ? 2 : 1);
    }
  }
  return families;
}

}  // namespace spire_exporter::fakes
