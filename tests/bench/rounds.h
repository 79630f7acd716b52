// Times of several things side by side: in turn, round by round, so that a machine that speeds up
// or slows down does so for all of them, and the least of each.
#ifndef TESTS_BENCH_ROUNDS_H_
#define TESTS_BENCH_ROUNDS_H_

#include <functional>
#include <string>
#include <vector>

namespace spire_exporter::bench {

struct Contestant {
  std::string name;
  std::function<void()> run;
  double items = 1;  // that one run works on
};

// Prints the least and the median time of an item over the rounds, and the ratio of the least times
// to those of `base` (an index). Each run is repeated within a round until it takes some
// milliseconds.
void CompareInRounds(const std::string& title, const std::vector<Contestant>& contestants,
                     size_t base, int rounds = 15);

}  // namespace spire_exporter::bench

#endif  // TESTS_BENCH_ROUNDS_H_
