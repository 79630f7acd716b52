// Owns everything that runs, in order of destruction, and answers to signals.
#ifndef EXPORTER_APP_APP_H_
#define EXPORTER_APP_APP_H_

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "exporter/app/command_line.h"
#include "exporter/app/reload.h"
#include "exporter/app/settings.h"
#include "exporter/base/clock.h"
#include "exporter/base/logger.h"
#include "exporter/collect/collector_set.h"
#include "exporter/tls/workload_source.h"

namespace spire_exporter {

inline constexpr int kExitWell = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;

// Blocks the signals that Serve() answers to, in this thread and those it will start, and ignores
// SIGPIPE. Called first in main().
void PrepareSignals();

// Runs until SIGTERM or SIGINT, then ends within five seconds; SIGHUP and /-/reload load the
// configuration again. `make_workload` is for a page that is served with an SVID. Returns the exit
// code.
int Serve(const CommandLine& line, const Settings& settings, std::span<const CatalogEntry> catalog,
          MakeWorkloadSource make_workload, const Clock& clock, Logger& logger);

// Reads the web configuration file, if there is one, as Serve() will; with --config.check also the
// certificates and the token that it names.
Status CheckWebConfig(const CommandLine& line);

// Connects once to every source, reads what the web configuration names, and prints a table.
// Returns the exit code: 0 only if all is well.
int Check(const CommandLine& command, const Settings& settings,
          std::span<const CatalogEntry> catalog, const Clock& clock, Logger& logger,
          std::string* out);

}  // namespace spire_exporter

#endif  // EXPORTER_APP_APP_H_
