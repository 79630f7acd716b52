// The `go_*` and `process_*` families that client_golang adds to every page.
#ifndef TESTS_FAKES_RUNTIME_FAMILIES_H_
#define TESTS_FAKES_RUNTIME_FAMILIES_H_

#include "tests/fakes/metrics_page.h"
#include "tests/fakes/release.h"

namespace spire_exporter::fakes {

// Believable numbers that do not move, but for the start time.
void AddRuntimeFamilies(Release release, double start_seconds, MetricsPage* page);

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_RUNTIME_FAMILIES_H_
