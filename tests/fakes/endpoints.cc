#include "tests/fakes/endpoints.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "exporter/base/text.h"

namespace spire_exporter::fakes {
namespace {

constexpr Duration kDripInterval = std::chrono::seconds(1);

Error Wrong(std::string what) {
  return Error{Code::kInvalidArgument, std::move(what), {}};
}

}  // namespace

Result<std::unique_ptr<Endpoints>> Endpoints::Open(const EndpointOptions& options,
                                                   Simulator* simulator) {
  std::unique_ptr<Endpoints> endpoints(new Endpoints(simulator));
  Status status = endpoints->Add("prometheus", options.prometheus, [simulator](const HttpAsk&) {
    // The handler is SPIRE's server root: any path and any method get the page.
    return HttpReply{200, std::string(simulator->PageType()), simulator->Page(), true};
  });
  if (!status.ok()) return status.error();
  status = endpoints->Add("health", options.health, [simulator](const HttpAsk& ask) {
    auto [code, body] = simulator->HealthAnswer(ask.path);
    return HttpReply{code, code == 404 ? "text/plain; charset=utf-8" : "application/json",
                     std::move(body), false};
  });
  if (!status.ok()) return status.error();
  status = endpoints->Add("control", options.control, [raw = endpoints.get()](const HttpAsk& ask) {
    return raw->Control(ask);
  });
  if (!status.ok()) return status.error();
  return endpoints;
}

Status Endpoints::Add(const std::string& name, const std::string& address,
                      HttpListener::Handler handler) {
  if (address.empty()) return {};
  Result<UniqueFd> fd = ListenStream(address);
  if (!fd.ok()) return std::move(fd).error();
  listeners_.push_back(
      {name, std::make_unique<HttpListener>(std::move(fd).value(), std::move(handler))});
  return {};
}

void Endpoints::AppendPoll(std::vector<pollfd>* fds) const {
  for (const Named& named : listeners_) named.listener->AppendPoll(fds);
}

void Endpoints::Pump(SteadyTime now) {
  for (const Named& named : listeners_) named.listener->Pump(now);
}

SteadyTime Endpoints::next_due() const {
  SteadyTime due = SteadyTime::max();
  for (const Named& named : listeners_) due = std::min(due, named.listener->next_due());
  return due;
}

std::string Endpoints::Addresses() const {
  std::string text;
  for (const Named& named : listeners_) {
    if (!text.empty()) text += ' ';
    text += named.name + '=' + named.listener->address();
  }
  return text;
}

HttpReply Endpoints::Control(const HttpAsk& ask) {
  if (ask.method != "POST") {
    return {405, "text/plain; charset=utf-8", "POST one command a line\n", false};
  }
  std::string answer;
  for (const std::string_view line : Split(ask.body, '\n')) {
    if (Trim(line).empty()) continue;
    Result<std::string> result = Command(line);
    if (!result.ok()) {
      return {400, "text/plain; charset=utf-8", result.error().ToString() + '\n', false};
    }
    answer += result.value();
  }
  return {200, "text/plain; charset=utf-8", std::move(answer), false};
}

Result<std::string> Endpoints::Command(std::string_view line) {
  std::vector<std::string_view> words;
  for (const std::string_view word : Split(Trim(line), ' ')) {
    if (!word.empty()) words.push_back(word);
  }
  if (words.empty()) return Wrong("no command");
  if (more_) {
    std::optional<Result<std::string>> answer = more_(line);
    if (answer) return std::move(*answer);
  }
  const std::string_view name = words[0];
  words.resize(3);
  if (name == "stats") return simulator_.Summary();
  if (name == "stop" || name == "resume") {
    simulator_.set_running(name == "resume");
    return std::string();
  }
  if (name == "restart") {
    const Status status = simulator_.Restart();
    if (!status.ok()) return status.error();
    return std::string();
  }
  if (name == "hang") return Hang(words[1], words[2]);
  if (name == "health") {
    if (words[1] == "well") {
      simulator_.health = Health::kWell;
    } else if (words[1] == "failing") {
      simulator_.health = Health::kFailing;
    } else if (words[1] == "refusing") {
      simulator_.health = Health::kRefusing;
    } else if (words[1] == "unattested") {
      simulator_.health = Health::kUnattested;
    } else {
      return Wrong("health " + Quoted(words[1]) +
                   ": expected well, failing, refusing or unattested");
    }
    return std::string();
  }
  return CommandWithNumber(name, words[1], words[2]);
}

Result<std::string> Endpoints::CommandWithNumber(std::string_view name, std::string_view argument,
                                                 std::string_view more) {
  constexpr std::string_view kCommands[] = {"rate",    "garbage", "tags",     "errors",
                                            "latency", "agents",  "workloads"};
  if (std::find(std::begin(kCommands), std::end(kCommands), name) == std::end(kCommands)) {
    return Wrong("no such command: " + Quoted(name));
  }
  double number = 0;
  const auto parsed = std::from_chars(argument.data(), argument.data() + argument.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != argument.data() + argument.size() ||
      !(number >= 0) || number > 1e9) {
    return Wrong(std::string(name) + ' ' + Quoted(argument) + ": expected a number from 0 to 1e9");
  }
  if (name == "rate") simulator_.disturbance().flood = number;
  if (name == "garbage") simulator_.disturbance().garbage = number;
  if (name == "tags") simulator_.disturbance().tags = number;
  if (name == "latency") simulator_.mood().latency_factor = number;
  if (name == "errors") {
    if (number > 1) return Wrong("errors: expected a share from 0 to 1");
    simulator_.mood().error_share = number;
    if (!more.empty()) simulator_.mood().error_status = more;
  }
  if (name == "agents" || name == "workloads") {
    (name == "agents" ? simulator_.load().agents : simulator_.load().workloads) =
        static_cast<uint64_t>(number);
    const Status status = simulator_.Restart();
    if (!status.ok()) return status.error();
  }
  return std::string();
}

Result<std::string> Endpoints::Hang(std::string_view name, std::string_view way) {
  for (const Named& named : listeners_) {
    if (named.name != name || name == "control") continue;
    if (way == "none") {
      named.listener->Answer();
      return std::string();
    }
    const Result<HangWay> parsed = ParseHangWay(way);
    if (!parsed.ok()) return parsed.error();
    const Status status = named.listener->Hang(parsed.value(), kDripInterval);
    if (!status.ok()) return status.error();
    return std::string();
  }
  return Wrong("hang " + Quoted(name) + ": expected prometheus or health, with a listener");
}

}  // namespace spire_exporter::fakes
