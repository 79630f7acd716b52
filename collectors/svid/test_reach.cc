#include "collectors/svid/test_reach.h"

#include <utility>

namespace spire_exporter::svid {

Watch::Watch(std::vector<SocketAddress>* addresses, ReachOptions options,
             std::shared_ptr<spire::Channel> agent)
    : collector_(
          MakeReachCollector(options, std::move(agent), 1,
                             [addresses](const Waiter&) -> Result<std::vector<SocketAddress>> {
                               if (!addresses->empty()) return *addresses;
                               return Error{Code::kUnavailable, "resolve: no such name", "", true};
                             })) {}

void Watch::Round(std::stop_token stop) {
  const CollectContext context{Deadline::After(clock_, collector_->Timeout()), std::move(stop),
                               clock_, facts_};
  const SteadyTime began = clock_.Steady();
  reading_ = collector_->Collect(context);
  took_ = clock_.Steady() - began;
  page_.clear();
  if (!reading_.ok()) return;
  for (Fact& fact : reading_->facts) facts_.Publish(std::move(fact));
  for (const Family& family : reading_->families.Take()) {
    for (const Series& series : family.series) {
      const double value =
          series.histogram ? static_cast<double>(series.histogram->count) : series.value;
      page_[std::string(family.description->name) + "{" + std::string(series.labels->rendered()) +
            "}"] = value;
    }
  }
}

std::optional<double> Watch::Get(const std::string& name, const std::string& labels) const {
  const auto found = page_.find(name + "{" + labels + "}");
  return found == page_.end() ? std::nullopt : std::optional<double>(found->second);
}

std::string Watch::State(const std::string& name, const std::string& labels) const {
  std::string state;
  for (const auto& [series, value] : page_) {
    if (!series.starts_with(name + "{" + labels) || value != 1) continue;
    const size_t end = series.rfind('"');
    const size_t begin = series.rfind('"', end - 1);
    state += (state.empty() ? "" : ",") + series.substr(begin + 1, end - begin - 1);
  }
  return state;
}

spire::ServersFact Watch::fact() const {
  const auto latest = facts_.Latest<spire::ServersFact>("servers");
  return latest ? *latest->value : spire::ServersFact();
}

std::string Watch::Page() const {
  std::string all;
  for (const auto& [series, value] : page_) all += series + " " + std::to_string(value) + "\n";
  return all;
}

}  // namespace spire_exporter::svid
