#include "collectors/clients/spire/methods.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>

namespace spire_exporter::spire {
namespace {

namespace fs = std::filesystem;

std::string ReadAll(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::set<std::string> Matches(const std::string& text, const std::regex& pattern) {
  std::set<std::string> found;
  for (std::sregex_iterator at(text.begin(), text.end(), pattern), end; at != end; ++at) {
    found.insert((*at)[1]);
  }
  return found;
}

std::set<std::string> Table() {
  std::set<std::string> paths;
  for (const MethodRow& row : kMethods) paths.insert(row.path);
  return paths;
}

const fs::path kFolder = fs::path(HOUSE_SOURCE_DIR) / "collectors/clients/spire";

TEST(MethodsTest, AreTheServicesThatAreDescribed) {
  std::set<std::string> described;
  for (const auto& entry : fs::directory_iterator(kFolder / "rpc")) {
    const std::string text = ReadAll(entry.path());
    const auto package = Matches(text, std::regex(R"(\npackage ([\w.]+);)"));
    for (const std::string& service : Matches(text, std::regex(R"(\nservice (\w+) \{)"))) {
      for (const std::string& method : Matches(text, std::regex(R"(\n  rpc (\w+)\()"))) {
        described.insert("/" + (package.empty() ? "" : *package.begin() + ".") + service + "/" +
                         method);
      }
    }
  }
  EXPECT_EQ(described.size(), 11U);
  EXPECT_EQ(Table(), described);
}

TEST(MethodsTest, ChangeNothingAndWalkNoTable) {
  for (const std::string& path : Table()) {
    const std::string name = path.substr(path.rfind('/') + 1);
    EXPECT_TRUE(std::regex_match(name, std::regex("(Get|Fetch|List|Check).*"))) << path;
    EXPECT_EQ(name.find("Count"), std::string::npos) << path;
    EXPECT_NE(path, "/spire.api.server.debug.v1.Debug/GetInfo");
  }
}

TEST(MethodsTest, AskForTheSecurityHeaderOnTheWorkloadApiAlone) {
  for (const MethodRow& row : kMethods) {
    EXPECT_EQ(row.security_header, std::string(row.path).starts_with("/SpiffeWorkloadAPI/"))
        << row.path;
  }
}

// One function calls, and takes a row: no other source has a path, a stub or a way of its own.
TEST(MethodsTest, HaveOneCaller) {
  constexpr std::string_view kPaths[] = {"\"/spire.", "\"/Spiffe", "\"/grpc."};
  constexpr std::string_view kCallers[] = {"<grpc", ".grpc.pb.h", "GenericStub"};
  const fs::path top(HOUSE_SOURCE_DIR);
  size_t sources = 0;
  for (const char* part : {"exporter", "collectors"}) {
    for (const auto& entry : fs::recursive_directory_iterator(top / part)) {
      const std::string place = entry.path().lexically_relative(top).generic_string();
      const bool source = place.ends_with(".cc") || place.ends_with(".h");
      if (!source || place.find("test") != std::string::npos) continue;
      const std::string text = ReadAll(entry.path());
      ++sources;
      const auto has = [&text](std::string_view word) { return text.find(word) != text.npos; };
      const bool names = std::any_of(std::begin(kPaths), std::end(kPaths), has);
      const bool calls = std::any_of(std::begin(kCallers), std::end(kCallers), has);
      EXPECT_EQ(names, place == "collectors/clients/spire/methods.h") << place;
      EXPECT_EQ(calls, place == "collectors/clients/spire/grpc_connection.cc") << place;
    }
  }
  EXPECT_GT(sources, 100U);
  const std::string text = ReadAll(kFolder / "grpc_connection.cc");
  size_t calls = 0;
  for (size_t at = text.find("Prepare"); at != std::string::npos; at = text.find("Prepare", at + 1))
    ++calls;
  EXPECT_EQ(calls, 1U);
  EXPECT_NE(text.find("PrepareCall(&context, row.path, &queue)"), std::string::npos);
}

}  // namespace
}  // namespace spire_exporter::spire
