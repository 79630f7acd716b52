// For tests of the real program: a WorkloadAgent that does what its standard input says.
//   start        listens on the socket, which is the one argument
//   serve FOLDER sends what is in the folder: `id`, `svid.der`, `key.der`, `bundle.der`, and
//                `TRUST_DOMAIN.federated` for each federated bundle
//   deny, stop
// Answers each line with `done`, and ends with its input.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "tests/fakes/workload_agent.h"

namespace spire_exporter {
namespace {

namespace fs = std::filesystem;

std::string Contents(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

ServedSvid Read(const fs::path& folder) {
  ServedSvid served{Contents(folder / "id"), Contents(folder / "svid.der"),
                    Contents(folder / "key.der"), Contents(folder / "bundle.der")};
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".federated") continue;
    served.federated_bundles["spiffe://" + entry.path().stem().string()] = Contents(entry.path());
  }
  return served;
}

int Main(const std::string& socket) {
  const auto agent = WorkloadAgent::At(socket);
  std::string line;
  while (std::getline(std::cin, line)) {
    const std::string word = line.substr(0, line.find(' '));
    if (word == "start") {
      agent->Start();
    } else if (word == "serve" && line.size() > word.size()) {
      agent->Serve(Read(line.substr(word.size() + 1)));
    } else if (word == "deny") {
      agent->Deny();
    } else if (word == "stop") {
      agent->Stop();
    } else {
      std::cerr << "expected start, serve FOLDER, deny or stop\n";
      return 2;
    }
    std::cout << "done" << std::endl;
  }
  return 0;
}

}  // namespace
}  // namespace spire_exporter

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "workload-agent SOCKET\n";
    return 2;
  }
  return spire_exporter::Main(argv[1]);
}
