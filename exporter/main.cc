#include <malloc.h>

#include <cstdio>
#include <string>

#include "collectors/catalog.h"
#include "exporter/app/app.h"
#include "exporter/app/families.h"
#include "exporter/config/yaml.h"

namespace spire_exporter {
namespace {

void Print(std::FILE* to, const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), to);
}

int PrintMetrics(const CommandLine& line) {
  const std::vector<ReferenceSection> sections = AllFamilies(Catalog());
  Print(stdout, line.metrics_as_json ? ReferenceJson(sections) : ReferenceMarkdown(sections));
  return kExitWell;
}

int PrintGrants(const CommandLine& line) {
  for (const CatalogEntry& entry : Catalog()) {
    if (!entry.grants) continue;
    const Result<std::string> text = entry.grants->text(line.grants);
    if (!text.ok()) {
      Print(stderr, "spire-exporter: grants: " + text.error().ToString() +
                        " (see spire-exporter grants --help)\n");
      return kExitUsage;
    }
    Print(stdout, *text);
  }
  return kExitWell;
}

int Main(std::span<const char* const> argv) {
  PrepareSignals();
  // glibc would give each thread a heap of its own: half a MiB for a dozen threads that rarely
  // allocate at once.
  ::mallopt(M_ARENA_MAX, 1);
  // What a scrape or a call needs for a moment goes back to the system with it. glibc would else
  // take larger and larger blocks from the heap, whose peak stays.
  ::mallopt(M_MMAP_THRESHOLD, 64 * 1024);
  const auto parsed = ParseCommandLine(argv, Catalog());
  if (const auto* exit = std::get_if<EarlyExit>(&parsed)) {
    Print(stdout, exit->to_stdout);
    Print(stderr, exit->to_stderr);
    return exit->code;
  }
  const CommandLine& line = std::get<CommandLine>(parsed);
  if (line.command == Command::kMetrics) return PrintMetrics(line);
  if (line.command == Command::kGrants) return PrintGrants(line);

  const Result<Settings> settings = LoadSettings(line, ProcessEnvironment(), Catalog());
  if (!settings.ok()) {
    Print(stderr, settings.error().ToString() + "\n");
    return line.config_check ? kExitFailed : kExitUsage;
  }
  if (const Status web = CheckWebConfig(line); !web.ok()) {
    Print(stderr, web.error().ToString() + "\n");
    return line.config_check ? kExitFailed : kExitUsage;
  }
  if (line.config_check) {
    Print(stdout, Render(settings->config));
    return kExitWell;
  }
  const RealClock clock;
  const std::unique_ptr<Logger> logger = MakeLogger(clock, line.log_level, line.log_format);
  if (line.command == Command::kCheck) {
    std::string table;
    const int code = Check(line, *settings, Catalog(), clock, *logger, &table);
    Print(stdout, table);
    return code;
  }
  return Serve(line, *settings, Catalog(), WorkloadCertificatesOf(clock), clock, *logger);
}

}  // namespace
}  // namespace spire_exporter

int main(int argc, char** argv) {
  return spire_exporter::Main({const_cast<const char* const*>(argv), static_cast<size_t>(argc)});
}
