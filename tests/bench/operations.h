// Operations whose instructions are counted. A package joins by a function like those below, in a
// file of its own (statsd_operations.cc: `statsd_line`, ...), named in AllOperations().
#ifndef TESTS_BENCH_OPERATIONS_H_
#define TESTS_BENCH_OPERATIONS_H_

#include <cstdint>
#include <string_view>
#include <vector>

namespace spire_exporter::bench {

struct Operation {
  std::string_view name;
  // The operation that has the same loop around it and nothing in it; its instructions are taken
  // off. Empty when there is nothing to take off.
  std::string_view loop;
  // Instructions per operation that fail the test when passed; 0 for what is only an anchor.
  double limit;
  // Prepares the same thing whatever `n` is, then does the operation n times: preparation goes away
  // in the difference of two runs.
  void (*run)(uint64_t n);
};

std::vector<Operation> ExposeOperations();
std::vector<Operation> HistogramOperations();
std::vector<Operation> StatsdOperations();

// Keeps the compiler from leaving out what led to the value. No instruction of its own.
inline void Keep(double value) {
  asm volatile("" : : "x"(value) : "memory");
}
inline void Keep(const void* value) {
  asm volatile("" : : "r"(value) : "memory");
}

}  // namespace spire_exporter::bench

#endif  // TESTS_BENCH_OPERATIONS_H_
