// Does one named operation a given number of times, to be run under callgrind by instructions.py:
//   count_ops --list             name, loop and limit of each operation, one a line
//   count_ops --what=NAME --n=N
#include <charconv>
#include <iostream>
#include <string_view>
#include <system_error>
#include <vector>

#include "tests/bench/operations.h"

namespace spire_exporter::bench {
namespace {

std::vector<Operation> AllOperations() {
  std::vector<Operation> all;
  for (const auto& operations : {ExposeOperations(), HistogramOperations(), StatsdOperations()}) {
    all.insert(all.end(), operations.begin(), operations.end());
  }
  return all;
}

void List() {
  for (const Operation& operation : AllOperations()) {
    std::cout << operation.name << '\t' << operation.loop << '\t' << operation.limit << '\n';
  }
}

// False when there is no such operation.
bool Run(std::string_view what, uint64_t n) {
  for (const Operation& operation : AllOperations()) {
    if (operation.name != what) continue;
    operation.run(n);
    return true;
  }
  return false;
}

int Main(int argc, char** argv) {
  constexpr std::string_view kWhat = "--what=";
  constexpr std::string_view kCount = "--n=";
  std::string_view what;
  uint64_t n = 0;
  bool understood = argc > 1;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--list") {
      List();
      return 0;
    }
    if (argument.starts_with(kWhat)) {
      what = argument.substr(kWhat.size());
    } else if (argument.starts_with(kCount)) {
      const std::string_view digits = argument.substr(kCount.size());
      const char* const end = digits.data() + digits.size();
      const auto [last, error] = std::from_chars(digits.data(), end, n);
      understood = understood && error == std::errc() && last == end;
    } else {
      understood = false;
    }
  }
  if (!understood || !Run(what, n)) {
    std::cerr << "usage: count_ops --list | --what=NAME --n=N\n";
    return 2;
  }
  return 0;
}

}  // namespace
}  // namespace spire_exporter::bench

int main(int argc, char** argv) {
  return spire_exporter::bench::Main(argc, argv);
}
