#include "collectors/postgres/capacity_rebase.h"

#include <cmath>

namespace spire_exporter::postgres {

RebasedTotal CounterRebase::Take(std::string_view name, double raw, const CounterOrigin& origin) {
  const bool sane = std::isfinite(raw) && raw >= 0;
  const auto [at, first] = counters_.try_emplace(name);
  Counter& counter = at->second;
  if (first) {
    counter.raw = sane ? raw : 0;
    counter.total = counter.raw;
    counter.created = origin.reset.value_or(0);
    counter.origin = origin;
  } else if (sane) {
    counter.total += Growth(counter, raw, origin);
    counter.raw = raw;
    counter.origin = origin;
    counter.other_server = false;
  }
  return {counter.total, counter.created};
}

double CounterRebase::Growth(Counter& counter, double raw, const CounterOrigin& origin) {
  const CounterOrigin& before = counter.origin;
  const bool other_start = origin.started != before.started && origin.started <= before.now;
  const bool other_reset =
      origin.reset && origin.reset != before.reset && *origin.reset <= before.now;
  if (counter.other_server || other_start || other_reset) {
    ++rebased_;
    return 0;
  }
  const bool reset = origin.reset && origin.reset != before.reset;
  if (reset || raw < counter.raw) {
    ++rebased_;
    return raw;
  }
  return raw - counter.raw;
}

void CounterRebase::OtherServer() {
  for (auto& [name, counter] : counters_) counter.other_server = true;
}

}  // namespace spire_exporter::postgres
