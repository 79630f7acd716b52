#include "exporter/app/app.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "exporter/app/landing.h"
#include "exporter/app/metrics_handler.h"
#include "exporter/app/pages.h"
#include "exporter/app/resident_code.h"
#include "exporter/app/self_info.h"
#include "exporter/app/version.h"
#include "exporter/base/thread.h"
#include "exporter/base/unique_fd.h"
#include "exporter/collect/self_metrics.h"
#include "exporter/config/yaml.h"
#include "exporter/expose/process_metrics.h"
#include "exporter/http/http_server.h"
#include "exporter/web/web_front.h"

namespace spire_exporter {
namespace {

constexpr Duration kShutdownMax = std::chrono::milliseconds(4800);
// For what live sources say; a page with what they said last is better than a late one.
constexpr Duration kLandingWait = std::chrono::milliseconds(20);
// A start is over by then; later a rare round is. It costs some 150 minor faults.
constexpr std::chrono::milliseconds kStarted = std::chrono::seconds(30);
constexpr std::chrono::milliseconds kIdle = std::chrono::minutes(1);
constexpr Duration kCheckTimeout = std::chrono::seconds(10);

sigset_t OurSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, number);
  return signals;
}

// Ends the process when the orderly way takes too long: an orchestrator would kill it less politely
// soon after.
class ShutdownGuard {
 public:
  explicit ShutdownGuard(Logger& logger)
      : thread_([&logger](const std::stop_token& stop) {
          NameThisThread("shutdown-guard");
          Mutex mutex;
          std::condition_variable_any wake;
          mutex.lock();
          const bool done =
              wake.wait_for(mutex, stop, kShutdownMax, [&stop] { return stop.stop_requested(); });
          mutex.unlock();
          if (done) return;
          logger.Error("a source did not end in time, leaving without it");
          std::_Exit(kExitFailed);
        }) {}

 private:
  std::jthread thread_;
};

// Whether nobody can listen in on the way to an address as HttpServer gives it.
bool IsLocal(std::string_view address) {
  for (const std::string_view local : {"127.", "[::1]:", "unix:"}) {
    if (address.substr(0, local.size()) == local) return true;
  }
  return false;
}

// The server's own view, in the shape of its metrics.
ServerFigures FiguresOf(const HttpStats& stats) {
  const HttpRejections& rejected = stats.rejections;
  ServerFigures figures;
  figures.accepted = stats.accepted;
  figures.connections[ServerFigures::kWaiting] = stats.waiting;
  figures.connections[ServerFigures::kQueued] = stats.queued;
  figures.connections[ServerFigures::kRunning] = stats.running;
  figures.connections[ServerFigures::kWriting] = stats.writing;
  figures.rejections[ServerFigures::kEvictedForPeer] = rejected.evicted_for_peer;
  figures.rejections[ServerFigures::kEvictedForTotal] = rejected.evicted_for_total;
  figures.rejections[ServerFigures::kEvictedForBytes] = rejected.evicted_for_bytes;
  figures.rejections[ServerFigures::kRefused] = rejected.refused;
  figures.rejections[ServerFigures::kRequestTimeout] = rejected.request_timeout;
  figures.rejections[ServerFigures::kIdleTimeout] = rejected.idle_timeout;
  figures.rejections[ServerFigures::kWriteTimeout] = rejected.write_timeout;
  figures.rejections[ServerFigures::kMalformed] = rejected.malformed;
  figures.rejections[ServerFigures::kTooLarge] = rejected.too_large;
  figures.rejections[ServerFigures::kTooManyRequests] = rejected.too_many_requests;
  figures.rejections[ServerFigures::kTlsFailed] = rejected.tls_failed;
  figures.rejections[ServerFigures::kTlsTimeout] = rejected.tls_timeout;
  figures.rejections[ServerFigures::kDenied] = rejected.denied;
  figures.unsent_bytes = stats.unsent_bytes;
  return figures;
}

size_t Fingerprint(const ConfigNode& configuration) {
  return std::hash<std::string>()(Render(configuration));
}

class RequestCounter final : public HttpObserver {
 public:
  explicit RequestCounter(ProcessMetrics& metrics) : metrics_(metrics) {}
  void OnRequest(const HttpRequestRecord& record) override {
    metrics_.CountRequest(record.label, record.status, record.duration, record.body_bytes);
  }

 private:
  ProcessMetrics& metrics_;
};

// One running exporter. Members end in reverse order: first the door, then the collectors.
class Server {
 public:
  Server(const CommandLine& line, const Settings& settings, std::span<const CatalogEntry> catalog,
         MakeWorkloadSource make_workload, const Clock& clock, Logger& logger)
      : line_(line),
        settings_(settings),
        catalog_(catalog),
        make_workload_(std::move(make_workload)),
        clock_(clock),
        logger_(logger),
        gate_(clock),
        configuration_(Fingerprint(settings.config)),
        news_(configuration_),
        facts_{settings.role, settings.trust_domain, line.telemetry_path, clock.System()},
        process_(ProcessMetricsOptions{kVersion, kRevision}, clock),
        requests_(process_),
        collectors_(catalog, ModuleDeps{clock, logger, settings.role}),
        metrics_(
            collectors_, Names(catalog), [this] { return OwnSnapshots(); },
            [this](const PageReport& report) { process_.CountPage(report); }, clock),
        healthy_([](const HttpRequest&) { return HealthyPage(); }),
        ready_([this](const HttpRequest&) {
          return ReadyPage(collectors_, web_ ? web_->Waiting() : std::string());
        }),
        reload_([this](const HttpRequest&) { return ReloadPage(gate_); }),
        landing_([this](const HttpRequest&) { return Landing(); }),
        status_([this](const HttpRequest&) {
          return StatusPage(facts_, collectors_, gate_, clock_);
        }) {}
  ~Server() { process_.SetServer({}); }

  Status Start() {
    const Status applied = collectors_.Apply(settings_.config, settings_.enabled, settings_.limits);
    metrics_.Show(settings_.profile);
    NoteLoad(applied);
    if (!applied.ok()) return applied;
    if (!line_.web_config_file.empty()) {
      web_ = std::make_unique<WebFront>(line_.web_config_file, &ParseYaml, clock_, logger_,
                                        make_workload_);
      if (Status started = web_->Start(); !started.ok()) return started;
    }
    http_.emplace(HttpOptions(), Routes(line_.telemetry_path), clock_, logger_, &requests_);
    process_.SetServer([this] { return FiguresOf(http_->Stats()); });
    if (Status started = http_->Start(); !started.ok()) return started;
    const char* const scheme = web_ && web_->tls() != nullptr ? "https" : "http";
    for (const std::string& address : http_->addresses()) {
      logger_.Info("serving", {{"address", address}, {"scheme", scheme}});
      if (web_ && web_->secrets_without_tls() && !IsLocal(address)) {
        logger_.Warn("passwords are sent to this address for everybody to read: use TLS",
                     {{"address", address}});
      }
    }
    for (const std::string& address : http_->probe_addresses()) {
      logger_.Info("serving probes", {{"address", address}});
    }
    return {};
  }

  // Until a signal to end.
  void Loop(int signal_fd) {
    std::array<pollfd, 2> ready = {pollfd{signal_fd, POLLIN, 0}, pollfd{gate_.fd(), POLLIN, 0}};
    std::chrono::milliseconds quiet = kStarted;
    while (true) {
      const std::optional<Duration> due = gate_.Due();
      if (due == Duration::zero()) {
        Reload(false);
        continue;
      }
      const auto wait = due ? std::chrono::ceil<std::chrono::milliseconds>(*due) : quiet;
      const int found = ::poll(ready.data(), ready.size(), static_cast<int>(wait.count()));
      if (found < 0) continue;  // EINTR alone can be
      if (found == 0 && !due) {
        ReleaseIdleCode();
        quiet = kIdle;
      }
      if ((ready[0].revents & POLLIN) == 0) continue;
      signalfd_siginfo info{};
      if (::read(signal_fd, &info, sizeof info) != static_cast<ssize_t>(sizeof info)) continue;
      if (info.ssi_signo != SIGHUP) {
        logger_.Info("ending", {{"signal", info.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT"}});
        return;
      }
      Reload(true);
    }
  }

 private:
  static std::vector<std::string_view> Names(std::span<const CatalogEntry> catalog) {
    std::vector<std::string_view> names;
    for (const CatalogEntry& entry : catalog) names.push_back(entry.name);
    return names;
  }

  HttpServerOptions HttpOptions() const {
    HttpServerOptions options;
    options.listen_addresses = settings_.listen_addresses;
    options.probe_listen_addresses = line_.probe_listen_addresses;
    options.systemd_sockets = line_.systemd_sockets;
    options.max_requests = line_.max_requests;
    if (web_) {
      options.tls = web_->tls();
      options.gate = web_->gate();
    }
    return options;
  }

  std::vector<HttpRoute> Routes(const std::string& telemetry_path) {
    std::vector<HttpRoute> routes = {
        {telemetry_path, {"GET"}, &metrics_, "metrics", false},
        {"/-/healthy", {"GET"}, &healthy_, "healthy", true},
        {"/-/ready", {"GET"}, &ready_, "ready", true},
        {"/-/reload", {"POST", "PUT"}, &reload_, "reload", false},
        {"/", {"GET"}, &landing_, "landing", false},
        {"/api/v1/status", {"GET"}, &status_, "status", false},
    };
    return routes;
  }

  HttpResponse Landing() {
    const Deadline live = Deadline::After(clock_, kLandingWait);
    return LandingPage(facts_, ReadLandingView(catalog_, collectors_, gate_.state(), live), clock_);
  }

  std::vector<std::shared_ptr<const Snapshot>> OwnSnapshots() {
    FamilyBuilder families;
    AddSelfInfo(settings_.role, settings_.trust_domain, families);
    AddCollectorMetrics(collectors_.States(), collectors_.LiveAges(), families);
    if (web_) web_->AddTo(families);
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->taken = clock_.System();
    snapshot->families = families.Take();
    return {std::move(snapshot), process_.Take()};
  }

  void NoteLoad(const Status& outcome) {
    gate_.Finish(outcome, UnixSeconds(clock_.System()));
    process_.SetReload(outcome.ok());
  }

  // Keeps what is in force when the new configuration is bad. Whoever sent a signal gets a line.
  void Reload(bool by_signal) {
    gate_.Begin();
    Status outcome = LoadAndApply();
    if (web_) {
      const Status web = web_->Reload();
      if (outcome.ok()) outcome = web;
    }
    if (news_.Note(outcome, configuration_) || by_signal) LogReload(outcome);
    NoteLoad(outcome);
  }

  void LogReload(const Status& outcome) {
    if (outcome.ok()) {
      logger_.Info("configuration reloaded", {{"file", line_.config_file}});
    } else {
      logger_.Error("configuration not reloaded, the last good one stays",
                    {{"error", outcome.error().ToString()}});
    }
  }

  Status LoadAndApply() {
    Result<Settings> loaded = LoadSettings(line_, ProcessEnvironment(), catalog_);
    if (!loaded.ok()) return std::move(loaded).error();
    if (loaded->role != settings_.role || loaded->trust_domain != settings_.trust_domain) {
      return Error{Code::kFailedPrecondition, "role and trust_domain need a restart to change",
                   loaded->config["role"].where(), false};
    }
    Status applied = collectors_.Apply(loaded->config, loaded->enabled, loaded->limits);
    if (!applied.ok()) return applied;
    metrics_.Show(loaded->profile);
    configuration_ = Fingerprint(loaded->config);
    return {};
  }

  const CommandLine& line_;
  const Settings& settings_;
  const std::span<const CatalogEntry> catalog_;
  const MakeWorkloadSource make_workload_;
  const Clock& clock_;
  Logger& logger_;
  ReloadGate gate_;
  size_t configuration_;  // fingerprint of the one in force
  ReloadNews news_;
  const ProcessFacts facts_;
  ProcessMetrics process_;
  RequestCounter requests_;
  CollectorSet collectors_;
  MetricsHandler metrics_;
  FunctionHandler healthy_, ready_, reload_, landing_, status_;
  std::unique_ptr<WebFront> web_;   // null without --web.config.file
  std::optional<HttpServer> http_;  // from Start() on
};

// What a source says of itself is shown without what would steer the terminal.
std::string Shown(std::string text) {
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) c = '?';
  }
  return text;
}

// Columns as wide as their longest cell.
std::string Table(const std::vector<CheckLine>& lines) {
  size_t subject_width = 6;
  for (const CheckLine& line : lines) subject_width = std::max(subject_width, line.subject.size());
  std::string out;
  for (const CheckLine& line : lines) {
    out += (line.good ? "ok    " : "FAIL  ") + line.subject +
           std::string(subject_width - line.subject.size() + 2, ' ') + Shown(line.detail) + "\n";
    if (!line.good && !line.remedy.empty()) {
      out += std::string(6 + subject_width + 2, ' ') + "mend: " + Shown(line.remedy) + "\n";
    }
  }
  return out;
}

}  // namespace

Status CheckWebConfig(const CommandLine& line) {
  if (line.web_config_file.empty()) return {};
  const Result<ConfigNode> tree = LoadFile(line.web_config_file);
  if (!tree.ok()) return tree.error();
  const Result<WebConfig> config = ReadWebConfig(*tree, "");
  if (!config.ok()) return config.error();
  return line.config_check ? CheckWebFiles(line.web_config_file, &ParseYaml) : Status();
}

void PrepareSignals() {
  const sigset_t signals = OurSignals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

int Serve(const CommandLine& line, const Settings& settings, std::span<const CatalogEntry> catalog,
          MakeWorkloadSource make_workload, const Clock& clock, Logger& logger) {
  const sigset_t signals = OurSignals();
  const UniqueFd signal_fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  std::unique_ptr<ShutdownGuard> guard;  // outlives the server, so that it watches its end
  Server server(line, settings, catalog, std::move(make_workload), clock, logger);
  logger.Info("starting",
              {{"version", VersionText()}, {"role", std::string(RoleName(settings.role))}});
  if (const Status started = server.Start(); !started.ok()) {
    logger.Error("cannot start", {{"error", started.error().ToString()}});
    return kExitFailed;
  }
  server.Loop(signal_fd.get());
  guard = std::make_unique<ShutdownGuard>(logger);
  return kExitWell;
}

int Check(const CommandLine& command, const Settings& settings,
          std::span<const CatalogEntry> catalog, const Clock& clock, Logger& logger,
          std::string* out) {
  std::vector<CheckLine> lines;
  if (!command.web_config_file.empty()) {
    const Status web = CheckWebFiles(command.web_config_file, &ParseYaml);
    lines.push_back({"web configuration", web.ok(),
                     web.ok() ? command.web_config_file : web.error().ToString(), ""});
  }
  const Deadline deadline = Deadline::After(clock, kCheckTimeout);
  const ModuleDeps deps{clock, logger, settings.role};
  for (const CatalogEntry& entry : catalog) {
    if (std::find(settings.enabled.begin(), settings.enabled.end(), entry.name) ==
        settings.enabled.end()) {
      continue;
    }
    const std::unique_ptr<Module> module = entry.make(deps);
    for (CheckLine& line : module->Check(settings.config, deadline))
      lines.push_back(std::move(line));
  }
  *out = lines.empty() ? "nothing to check: no collector is switched on\n" : Table(lines);
  const bool good =
      std::all_of(lines.begin(), lines.end(), [](const CheckLine& line) { return line.good; });
  return good ? kExitWell : kExitFailed;
}

}  // namespace spire_exporter
