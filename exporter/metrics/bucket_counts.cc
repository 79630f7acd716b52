#include "exporter/metrics/bucket_counts.h"

#include "exporter/metrics/bucket_layout.h"

namespace spire_exporter {
namespace {

constexpr int64_t kBridgedMax = 2;

// How many empty buckets stand between two; both are indices of a rising list.
int64_t Gap(int32_t before, int32_t after) {
  return int64_t{after} - before - 1;
}

}  // namespace

void Coarsen(BucketCounts& counts, int steps) {
  if (steps <= 0 || counts.empty()) return;
  size_t last = 0;
  counts[0].index = CoarserIndex(counts[0].index, steps);
  for (size_t i = 1; i < counts.size(); ++i) {
    const BucketCount next{CoarserIndex(counts[i].index, steps), counts[i].count};
    if (next.index == counts[last].index) {
      counts[last].count += next.count;
    } else {
      counts[++last] = next;
    }
  }
  counts.resize(last + 1);
}

BucketCounts MergeCounts(const BucketCounts& a, const BucketCounts& b) {
  BucketCounts merged;
  merged.reserve(a.size() + b.size());
  auto left = a.begin();
  auto right = b.begin();
  while (left != a.end() || right != b.end()) {
    if (right == b.end() || (left != a.end() && left->index < right->index)) {
      merged.push_back(*left++);
    } else if (left == a.end() || right->index < left->index) {
      merged.push_back(*right++);
    } else {
      merged.push_back({left->index, left->count + right->count});
      ++left;
      ++right;
    }
  }
  return merged;
}

size_t BucketsInRuns(const BucketCounts& counts) {
  size_t buckets = counts.size();
  for (size_t i = 1; i < counts.size(); ++i) {
    const int64_t gap = Gap(counts[i - 1].index, counts[i].index);
    if (gap <= kBridgedMax) buckets += static_cast<size_t>(gap);
  }
  return buckets;
}

std::vector<BucketRun> MakeRuns(const BucketCounts& counts) {
  std::vector<BucketRun> runs;
  for (size_t begin = 0; begin < counts.size();) {
    size_t end = begin + 1;
    while (end < counts.size() && Gap(counts[end - 1].index, counts[end].index) <= kBridgedMax) {
      ++end;
    }
    const int32_t first = counts[begin].index;
    BucketRun& run = runs.emplace_back();
    run.first = first;
    run.counts.resize(static_cast<size_t>(counts[end - 1].index - first) + 1);
    for (; begin < end; ++begin) {
      run.counts[static_cast<size_t>(counts[begin].index - first)] = counts[begin].count;
    }
  }
  return runs;
}

BucketCounts FromRuns(const std::vector<BucketRun>& runs) {
  BucketCounts counts;
  for (const BucketRun& run : runs) {
    int32_t index = run.first;
    for (const uint64_t count : run.counts) {
      if (count != 0) counts.push_back({index, count});
      ++index;
    }
  }
  return counts;
}

}  // namespace spire_exporter
