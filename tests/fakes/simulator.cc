#include "tests/fakes/simulator.h"

#include <algorithm>
#include <utility>

#include "tests/fakes/runtime_families.h"

namespace spire_exporter::fakes {

// All that ends with the process that is played.
struct Simulator::Life {
  explicit Life(SteadyTime now) : schedule(now) {}

  uint64_t number = 0;
  MetricsPage page;
  std::vector<std::unique_ptr<DogStatsdClient>> clients;
  Schedule schedule;
  std::unique_ptr<Emitter> emitter;
  std::unique_ptr<Player> player;
  std::unique_ptr<Load> process;
  std::unique_ptr<Load> load;
  std::unique_ptr<Disturbance> disturbance;
};

Simulator::Simulator(SimulatorOptions options, const Clock& clock, std::ostream* truth,
                     Dialler dial)
    : options_(std::move(options)), clock_(clock), truth_(truth), dial_(std::move(dial)) {}

Simulator::~Simulator() = default;

Result<std::unique_ptr<Simulator>> Simulator::Start(SimulatorOptions options, const Clock& clock,
                                                    std::ostream* truth, Dialler dial) {
  std::unique_ptr<Simulator> simulator(
      new Simulator(std::move(options), clock, truth, std::move(dial)));
  Result<std::unique_ptr<Life>> life = simulator->Begin();
  if (!life.ok()) return std::move(life).error();
  simulator->life_ = std::move(life).value();
  return simulator;
}

Result<std::unique_ptr<Simulator::Life>> Simulator::Begin() {
  const SteadyTime now = clock_.Steady();
  auto life = std::make_unique<Life>(now);
  life->number = ++lives_;
  const ClientDialect& dialect = DialectOf(options_.emitter.release);
  std::vector<DogStatsdClient*> clients;
  for (const std::string& stream : options_.streams) {
    Result<std::unique_ptr<DatagramWriter>> writer = dial_(stream, dialect);
    if (!writer.ok()) return std::move(writer).error();
    life->clients.push_back(std::make_unique<DogStatsdClient>(std::move(writer).value(), dialect,
                                                              options_.emitter.global_tags, now));
    clients.push_back(life->clients.back().get());
  }
  AddRuntimeFamilies(options_.emitter.release, UnixSeconds(clock_.System()), &life->page);
  life->emitter = std::make_unique<Emitter>(options_.emitter, clock_, clients, &life->page, truth_);
  life->emitter->set_running(running_);
  // Every life draws differently, every run the same.
  const uint64_t seed = options_.seed * 1'000'003 + life->number;
  life->player = std::make_unique<Player>(life->emitter.get(), &life->schedule, clock_,
                                          options_.load, &mood_, seed);
  life->process = MakeProcessLoad(life->player.get());
  life->load = options_.emitter.role == Role::kServer ? MakeServerLoad(life->player.get())
                                                      : MakeAgentLoad(life->player.get());
  life->disturbance =
      std::make_unique<Disturbance>(life->emitter.get(), std::move(clients), seed + 1);
  life->process->Start();
  life->load->Start();
  return life;
}

void Simulator::Step() {
  const SteadyTime now = clock_.Steady();
  // Clients first: they are made before the load, so that a report comes just before the lines of
  // its second and not with these under way.
  for (const auto& client : life_->clients) client->Tick(now);
  life_->schedule.Run(now);
  life_->disturbance->rates() = rates_;
  life_->disturbance->Run(now);
}

void Simulator::Tell(const std::function<void(Player*)>& story) {
  story(life_->player.get());
}

SteadyTime Simulator::next() const {
  SteadyTime next = life_->schedule.next();
  for (const auto& client : life_->clients) next = std::min(next, client->next_tick());
  if (rates_.flood + rates_.garbage + rates_.tags > 0) {
    next = std::min(next, clock_.Steady() + std::chrono::milliseconds(2));
  }
  return next;
}

std::vector<int> Simulator::blocked_fds() const {
  std::vector<int> fds;
  for (const auto& client : life_->clients) {
    if (client->sender().blocked_fd() >= 0) fds.push_back(client->sender().blocked_fd());
  }
  return fds;
}

Status Simulator::Restart() {
  Result<std::unique_ptr<Life>> life = Begin();
  if (!life.ok()) return std::move(life).error();
  former_ += LifeSummary(*life_);
  life_ = std::move(life).value();
  return {};
}

void Simulator::set_running(bool running) {
  running_ = running;
  life_->emitter->set_running(running);
}

std::string Simulator::Page() const {
  std::string page;
  life_->page.Write(clock_.Steady(), &page);
  return page;
}

std::string_view Simulator::PageType() const {
  return options_.emitter.release >= Release::k1_13_3
             ? "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
             : "text/plain; version=0.0.4; charset=utf-8";
}

std::pair<int, std::string> Simulator::HealthAnswer(std::string_view path) const {
  if (path != "/live" && path != "/ready") return {404, "404 page not found\n"};
  if (options_.emitter.role == Role::kAgent) {
    if (health == Health::kWell) return {200, R"({"agent":{}})"};
    // An agent without an SVID is alive.
    return path == "/live"
               ? std::pair<int, std::string>{200, R"({"agent":{}})"}
               : std::pair<int, std::string>{
                     500, R"({"agent":{"make_new_x509_err":"workload api is unavailable"}})"};
  }
  if (health == Health::kWell) {
    return {200, R"({"catalog.datastore":{},"server":{},"server.ca":{},"server.ca.rotator":{}})"};
  }
  // A server gives both paths the same verdict.
  if (health == Health::kRefusing) {
    return {500, R"({"catalog.datastore":{},"server":{},)"
                 R"("server.ca":{"sign_x509_svid_err":"rpc error: code = Internal"},)"
                 R"("server.ca.rotator":{}})"};
  }
  return {500, R"({"catalog.datastore":{"list_bundle_err":"rpc error: code = Unknown"},)"
               R"("server":{"get_bundle_err":"rpc error: code = Internal"},)"
               R"("server.ca":{},"server.ca.rotator":{}})"};
}

std::string Simulator::LifeSummary(const Life& life) const {
  std::string text;
  for (size_t i = 0; i < life.clients.size(); ++i) {
    const DogStatsdClient& client = *life.clients[i];
    const DatagramCounts& counts = client.sender().counts();
    const auto add = [&text](std::string_view name, uint64_t value) {
      text.append(1, ' ').append(name).append(1, '=').append(std::to_string(value));
    };
    text += "life=" + std::to_string(life.number) + " stream=" + options_.streams[i];
    add("lines_handed", client.lines_handed());
    add("lines_buffered", client.lines_buffered());
    add("lines_sent", counts.lines_sent);
    add("lines_dropped", counts.lines_dropped);
    add("datagrams_sent", counts.sent);
    add("bytes_sent", counts.bytes_sent);
    add("datagrams_dropped_queue", counts.dropped_queue);
    add("datagrams_dropped_writer", counts.dropped_writer);
    text += '\n';
  }
  return text;
}

std::string Simulator::Summary() const {
  return former_ + LifeSummary(*life_);
}

double Simulator::fleet_share() const {
  return life_->player->fleet_share();
}

const DogStatsdClient& Simulator::client(size_t index) const {
  return *life_->clients[index];
}

}  // namespace spire_exporter::fakes
