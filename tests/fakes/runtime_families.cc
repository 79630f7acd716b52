#include "tests/fakes/runtime_families.h"

#include <string_view>

#include "tests/fakes/keys.h"
#include "tests/fakes/numbers.h"

namespace spire_exporter::fakes {
namespace {

struct RuntimeFamily {
  std::string_view name;
  std::string_view type;
  double value;
  unsigned releases = kAll;
};

constexpr RuntimeFamily kFamilies[] = {
    {"go_gc_gogc_percent", "gauge", 100, kNew},
    {"go_gc_gomemlimit_bytes", "gauge", 9223372036854775807.0, kNew},
    {"go_goroutines", "gauge", 72},
    {"go_memstats_alloc_bytes", "gauge", 13168608},
    {"go_memstats_alloc_bytes_total", "counter", 35385760},
    {"go_memstats_buck_hash_sys_bytes", "gauge", 1463600},
    {"go_memstats_frees_total", "counter", 281088},
    {"go_memstats_gc_sys_bytes", "gauge", 4061936},
    {"go_memstats_heap_alloc_bytes", "gauge", 13168608},
    {"go_memstats_heap_idle_bytes", "gauge", 6742016},
    {"go_memstats_heap_inuse_bytes", "gauge", 17539072},
    {"go_memstats_heap_objects", "gauge", 46774},
    {"go_memstats_heap_released_bytes", "gauge", 2023424},
    {"go_memstats_heap_sys_bytes", "gauge", 24281088},
    {"go_memstats_last_gc_time_seconds", "gauge", 1795296418.961862},
    {"go_memstats_lookups_total", "counter", 0, kOld},
    {"go_memstats_mallocs_total", "counter", 327862},
    {"go_memstats_mcache_inuse_bytes", "gauge", 4592},
    {"go_memstats_mcache_sys_bytes", "gauge", 16072},
    {"go_memstats_mspan_inuse_bytes", "gauge", 297760},
    {"go_memstats_mspan_sys_bytes", "gauge", 375360},
    {"go_memstats_next_gc_bytes", "gauge", 25053666},
    {"go_memstats_other_sys_bytes", "gauge", 741344},
    {"go_memstats_stack_inuse_bytes", "gauge", 884736},
    {"go_memstats_stack_sys_bytes", "gauge", 884736},
    {"go_memstats_sys_bytes", "gauge", 31824136},
    {"go_sched_gomaxprocs_threads", "gauge", 2, kNew},
    {"go_threads", "gauge", 9},
    {"process_cpu_seconds_total", "counter", 0.59},
    {"process_max_fds", "gauge", 20000},
    {"process_network_receive_bytes_total", "counter", 3967094, kNew},
    {"process_network_transmit_bytes_total", "counter", 2750747, kNew},
    {"process_open_fds", "gauge", 18},
    {"process_resident_memory_bytes", "gauge", 75972608},
    {"process_virtual_memory_bytes", "gauge", 1889091584},
    {"process_virtual_memory_max_bytes", "gauge", 18446744073709551615.0},
};

std::string Head(std::string_view name, std::string_view type) {
  std::string text("# HELP ");
  text.append(name).append(" A value of the Go runtime or the process.\n# TYPE ");
  return text.append(name).append(1, ' ').append(type).append(1, '\n');
}

}  // namespace

void AddRuntimeFamilies(Release release, double start_seconds, MetricsPage* page) {
  const auto add = [page](std::string_view name, std::string_view type, double value) {
    std::string text = Head(name, type).append(name).append(1, ' ');
    AppendPageValue(value, &text);
    page->AddRendered(std::string(name), text + '\n');
  };
  for (const RuntimeFamily& family : kFamilies) {
    if ((family.releases & (1U << static_cast<unsigned>(release))) == 0) continue;
    add(family.name, family.type, family.value);
  }
  add("process_start_time_seconds", "gauge", start_seconds);
  page->AddRendered("go_info", Head("go_info", "gauge") + "go_info{version=\"go1.26.8\"} 1\n");
  page->AddRendered("go_gc_duration_seconds",
                    Head("go_gc_duration_seconds", "summary") +
                        "go_gc_duration_seconds{quantile=\"0\"} 4.079e-05\n"
                        "go_gc_duration_seconds{quantile=\"0.25\"} 0.000102121\n"
                        "go_gc_duration_seconds{quantile=\"0.5\"} 0.0001237\n"
                        "go_gc_duration_seconds{quantile=\"0.75\"} 0.000504801\n"
                        "go_gc_duration_seconds{quantile=\"1\"} 0.000774791\n"
                        "go_gc_duration_seconds_sum 0.002168684\n"
                        "go_gc_duration_seconds_count 7\n");
}

}  // namespace spire_exporter::fakes
