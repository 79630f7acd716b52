#include "exporter/web/web_front.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>
#include <vector>

#include "exporter/base/text.h"
#include "exporter/base/thread.h"

namespace spire_exporter {
namespace {

constexpr Duration kPeriod = std::chrono::seconds(1);
constexpr size_t kFileMax = size_t{1} << 20;
constexpr size_t kTokenMax = 4096;

constexpr FamilyDescription kGood{
    .name = "spire_exporter_web_config_last_reload_successful",
    .help =
        "1 if the web configuration, with the certificates and the token it names, was good when "
        "it "
        "was last looked at, else 0: then the last good one is in force.",
    .source = "--web.config.file"};
constexpr FamilyDescription kGoodTime{
    .name = "spire_exporter_web_config_last_reload_success_timestamp_seconds",
    .unit = "seconds",
    .help = "When the web configuration was last found good, as Unix time.",
    .source = "--web.config.file"};
constexpr std::array<const FamilyDescription*, 2> kReloadFamilies = {&kGood, &kGoodTime};

Result<std::string> ReadFile(const std::string& path, size_t most) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"),
                                                             &std::fclose);
  if (file == nullptr) return Error{Code::kNotFound, path + ": " + ErrnoText(errno), "", true};
  std::string text(most + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) {
    return Error{Code::kUnavailable, path + ": " + ErrnoText(errno), "", true};
  }
  if (text.size() > most) {
    return Error{Code::kInvalidArgument, path + ": larger than " + FormatSize(most), "", false};
  }
  return text;
}

Result<std::string> ReadToken(const std::string& path) {
  if (path.empty()) return std::string();
  Result<std::string> text = ReadFile(path, kTokenMax);
  if (!text.ok()) return text;
  std::string token(Trim(*text));
  if (token.empty()) return Error{Code::kInvalidArgument, path + ": no token in it", "", false};
  return token;
}

// What the file says, and the token that it names.
struct Rules {
  WebConfig config;
  std::string token;
};

std::string FolderOf(const std::string& file) {
  const size_t slash = file.rfind('/');
  return slash == std::string::npos ? "" : slash == 0 ? "/" : file.substr(0, slash);
}

Result<Rules> ReadRules(const std::string& text, const std::string& file,
                        const ParseWebConfig& parse) {
  const Result<ConfigNode> tree = parse(text, file);
  if (!tree.ok()) return tree.error();
  Result<WebConfig> config = ReadWebConfig(*tree, FolderOf(file));
  if (!config.ok()) return config.error();
  Result<std::string> token = ReadToken(config->bearer_token_file);
  if (!token.ok()) return token.error();
  return Rules{*std::move(config), *std::move(token)};
}

}  // namespace

Status CheckWebFiles(const std::string& file, const ParseWebConfig& parse) {
  const Result<std::string> text = ReadFile(file, kFileMax);
  if (!text.ok()) return text.error();
  const Result<Rules> rules = ReadRules(*text, file, parse);
  if (!rules.ok()) return rules.error();
  return rules->config.tls ? CheckTlsFiles(*rules->config.tls) : Status();
}

std::span<const FamilyDescription* const> WebFamilies() {
  static const std::vector<const FamilyDescription*> all = [] {
    std::vector<const FamilyDescription*> both(kReloadFamilies.begin(), kReloadFamilies.end());
    both.insert(both.end(), WebTlsFamilies().begin(), WebTlsFamilies().end());
    return both;
  }();
  return all;
}

WebFront::WebFront(std::string file, ParseWebConfig parse, const Clock& clock, Logger& logger,
                   MakeWorkloadSource make_workload)
    : file_(std::move(file)),
      parse_(std::move(parse)),
      clock_(clock),
      logger_(logger),
      tls_(clock, logger, std::move(make_workload), [this] { Wake(); }),
      gate_(clock) {}

WebFront::~WebFront() = default;

Status WebFront::Start() {
  {
    const MutexLock lock(load_mutex_);
    Status loaded = Load();
    if (!loaded.ok()) return loaded;
    Note(loaded);
    has_tls_ = config_.tls.has_value();
    asks_for_password_ = config_.asks_for_password();
  }
  thread_ = std::jthread([this](const std::stop_token& stop) { Watch(stop); });
  return {};
}

Status WebFront::Reload() {
  const MutexLock lock(load_mutex_);
  Status outcome = Load();
  Note(outcome);
  return outcome;
}

Status WebFront::Load() {
  const Result<std::string> text = ReadFile(file_, kFileMax);
  Status outcome;
  if (!text.ok()) {
    outcome = text.error();
  } else if (*text != text_ || !good_) {
    outcome = LoadFile(*text);
  }
  // Whatever the file says now, what is in force names files that change by themselves.
  const auto then = [&outcome](const Status& next) {
    if (outcome.ok()) outcome = next;
  };
  if (config_.tls) then(tls_.Refresh());
  then(LoadToken());
  good_ = outcome.ok();
  return outcome;
}

Status WebFront::LoadToken() {
  const Result<std::string> token = ReadToken(config_.bearer_token_file);
  if (!token.ok()) return token.error();
  if (*token == token_) return {};
  token_ = *token;
  gate_.Apply(config_, token_);
  return {};
}

// Everything that the file says is good before any of it is put to use.
Status WebFront::LoadFile(const std::string& text) {
  Result<Rules> rules = ReadRules(text, file_, parse_);
  if (!rules.ok()) return rules.error();
  if (thread_.joinable() && rules->config.tls.has_value() != has_tls_) {
    return Error{Code::kFailedPrecondition,
                 file_ + ": tls_server_config cannot come or go without a restart", "", false};
  }
  if (rules->config.tls) {
    Status applied = tls_.Apply(*rules->config.tls);
    if (!applied.ok()) return applied;
  }
  gate_.Apply(rules->config, rules->token);
  config_ = std::move(rules->config);
  token_ = std::move(rules->token);
  text_ = text;
  return {};
}

// Once for each change, not each second.
void WebFront::Note(const Status& outcome) {
  std::string error = outcome.ok() ? "" : outcome.error().ToString();
  {
    const MutexLock lock(mutex_);
    state_.good = outcome.ok();
    if (outcome.ok()) state_.good_seconds = UnixSeconds(clock_.System());
    if (error == state_.error) return;
    state_.error = error;
  }
  if (error.empty()) {
    logger_.Info("web configuration is good again", {{"file", file_}});
  } else {
    logger_.Error("web configuration not taken, the last good one stays", {{"error", error}});
  }
}

void WebFront::Watch(const std::stop_token& stop) {
  NameThisThread("web-config");
  for (;;) {
    wake_mutex_.lock();
    wake_.wait_for(wake_mutex_, stop, kPeriod,
                   [this]() NO_THREAD_SAFETY_ANALYSIS { return changed_; });
    changed_ = false;
    wake_mutex_.unlock();
    if (stop.stop_requested()) return;
    const MutexLock lock(load_mutex_);
    Note(Load());
  }
}

// From the thread of a source, which must never wait for a load: one may be waiting for its end.
void WebFront::Wake() {
  const MutexLock lock(wake_mutex_);
  changed_ = true;
  wake_.notify_all();
}

void WebFront::AddTo(FamilyBuilder& families) const {
  const MutexLock lock(mutex_);
  families.Add(kGood, {}, state_.good ? 1 : 0);
  families.Add(kGoodTime, {}, state_.good_seconds);
  if (has_tls_) tls_.AddTo(families);
}

}  // namespace spire_exporter
