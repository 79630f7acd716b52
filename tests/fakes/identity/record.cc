#include "tests/fakes/identity/record.h"

#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <fstream>

#include "exporter/base/text.h"

namespace spire_exporter::fakes {

std::string EncodeHex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    out += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    out += "0123456789abcdef"[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

std::string DecodeHex(std::string_view text) {
  std::string out;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    unsigned value = 0;
    std::from_chars(text.data() + i, text.data() + i + 2, value, 16);
    out += static_cast<char>(value);
  }
  return out;
}

Status WriteRecord(const std::string& path, const std::vector<std::string>& lines) {
  // Several programs may write the same one.
  const std::string draft = path + "." + std::to_string(::getpid()) + ".draft";
  {
    std::ofstream file(draft, std::ios::trunc);
    for (const std::string& line : lines) file << line << '\n';
    if (!file.flush()) return Error{Code::kUnavailable, "cannot write " + Quoted(draft), {}};
  }
  if (std::rename(draft.c_str(), path.c_str()) != 0) {
    return Error{Code::kUnavailable, "cannot write " + Quoted(path), {}};
  }
  return {};
}

Result<std::vector<std::string>> ReadRecord(const std::string& path) {
  std::ifstream file(path);
  if (!file) return Error{Code::kNotFound, "no " + Quoted(path), {}};
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

}  // namespace spire_exporter::fakes
