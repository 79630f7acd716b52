#include "collectors/clients/spire/test_records.h"

#include <fstream>
#include <stdexcept>

#include "collectors/clients/spire/records.h"

namespace spire_exporter::spire {

std::string RecordHex(const std::string& name) {
  std::ifstream file(std::string(HOUSE_TESTDATA) + "/spire_records/" + name + ".hex");
  std::string hex;
  for (std::string line; std::getline(file, line);) hex += line;
  if (hex.empty()) throw std::runtime_error("no record " + name);
  return hex;
}

std::string RecordBytes(const std::string& name) {
  const std::string hex = RecordHex(name);
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

Bundle BundleOf(const std::string& name) {
  auto bundle = ReadBundle(RecordBytes(name));
  if (!bundle.ok()) throw std::runtime_error(bundle.error().what);
  return *std::move(bundle);
}

Journal JournalOf(const std::string& name) {
  auto journal = ReadJournal(RecordBytes(name));
  if (!journal.ok()) throw std::runtime_error(journal.error().what);
  return *std::move(journal);
}

UnixTime At(const std::string& time) {
  const auto part = [&](size_t at) { return std::stoi(time.substr(at, 2)); };
  return std::chrono::sys_days(std::chrono::year(2026) / 11 / 21) + std::chrono::hours(part(0)) +
         std::chrono::minutes(part(3)) + std::chrono::seconds(part(6));
}

}  // namespace spire_exporter::spire
