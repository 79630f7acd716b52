#include "collectors/clients/postgres/node_set.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <set>
#include <utility>

#include "collectors/clients/net/dial.h"
#include "collectors/clients/postgres/conninfo.h"
#include "collectors/clients/postgres/pqxx_connection.h"

namespace spire_exporter::pg {
namespace {

// One place where a server of a group was found.
struct Place {
  Host host;  // hostaddr filled in
  std::string address;
};

// Literals of both families; what getaddrinfo(3) gave cannot be of another.
std::string AddressText(const SocketAddress& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.storage.ss_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address.storage);
    inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text));
  } else {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address.storage);
    inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
  }
  return text;
}

std::string Readable(const Host& host) {
  const std::string port = std::to_string(host.port);
  if (host.hostaddr.empty()) return host.host + ":" + port;
  const bool v6 = host.hostaddr.find(':') != std::string::npos;
  return (v6 ? "[" + host.hostaddr + "]" : host.hostaddr) + ":" + port;
}

// Everything but the groups.
bool SameManners(ClientOptions a, const ClientOptions& b) {
  a.groups = b.groups;
  return a == b;
}

}  // namespace

struct NodeSet::Slot {
  Place place;
  bool gone = false;
  std::shared_ptr<Session> session;
};

struct NodeSet::Group {
  explicit Group(GroupOptions given) : options(std::move(given)) {}

  const GroupOptions options;
  Resolver resolver;  // of whoever looks up
  std::vector<Slot> slots;
  std::optional<Error> problem;  // of the last look-up
};

struct NodeSet::Found {
  std::vector<Place> places;
  std::optional<Error> problem;
};

NodeSet::NodeSet(const Clock& clock, Logger& logger) : clock_(clock), logger_(logger) {}

NodeSet::~NodeSet() = default;

void NodeSet::Configure(ClientOptions options) {
  std::vector<std::shared_ptr<Group>> ending;
  MutexLock lock(mutex_);
  if (options == options_) return;
  const bool same_manners = SameManners(options, options_);
  std::vector<std::shared_ptr<Group>> groups;
  for (const GroupOptions& wanted : options.groups) {
    const auto same = std::find_if(groups_.begin(), groups_.end(), [&](const auto& group) {
      return same_manners && group->options == wanted;
    });
    groups.push_back(same == groups_.end() ? std::make_shared<Group>(wanted) : *same);
  }
  ending = std::exchange(groups_, std::move(groups));
  options_ = std::move(options);
  looked_up_.reset();
  ++generation_;
  // Under the lock, so that no list of new sessions is out before the old ones have ended.
  for (const std::shared_ptr<Group>& group : ending) {
    if (std::find(groups_.begin(), groups_.end(), group) == groups_.end()) group->slots.clear();
  }
}

NodeSet::Found NodeSet::LookUp(Group& group, const Waiter& waiter) {
  Found found;
  Result<Conninfo> info = ReadConninfo(group.options.conninfo_file);
  if (!info) {
    found.problem = info.error();
    return found;
  }
  for (const Host& host : info->hosts) {
    if (!host.hostaddr.empty() || IsSocketDirectory(host.host)) {
      found.places.push_back({host, Readable(host)});
      continue;
    }
    Result<std::vector<SocketAddress>> addresses =
        group.resolver.Resolve(host.host, host.port, waiter);
    if (!addresses) {
      found.problem = addresses.error();
      continue;
    }
    for (const SocketAddress& address : *addresses) {
      Host one = host;
      one.hostaddr = AddressText(address);
      found.places.push_back({one, Readable(one)});
    }
  }
  std::sort(found.places.begin(), found.places.end(),
            [](const Place& a, const Place& b) { return a.address < b.address; });
  found.places.erase(
      std::unique(found.places.begin(), found.places.end(),
                  [](const Place& a, const Place& b) { return a.address == b.address; }),
      found.places.end());
  if (found.places.size() > kNodesPerGroup) found.places.resize(kNodesPerGroup);
  return found;
}

std::shared_ptr<Session> NodeSet::Open(const Group& group, size_t number, const Host& host) {
  const std::string name = group.options.name + "/" + std::to_string(number);
  // The file is read again, so that a new password is found; the address is this node's.
  Connector connector =
      [file = group.options.conninfo_file, host, options = options_](
          const Waiter& waiter) mutable -> Result<std::unique_ptr<ServerConnection>> {
    Result<Conninfo> info = ReadConninfo(file);
    if (!info) return info.error();
    return OpenConnection(*info, host, options, waiter);
  };
  return std::make_shared<Session>(name, std::move(connector), options_.connect_timeout, clock_,
                                   logger_);
}

void NodeSet::TakeOver(Group& group, Found found) {
  group.problem = std::move(found.problem);
  // Nothing found with a problem says nothing about the addresses that were known.
  if (group.problem && found.places.empty()) return;
  for (Slot& slot : group.slots) {
    const bool listed =
        std::any_of(found.places.begin(), found.places.end(),
                    [&](const Place& place) { return place.address == slot.place.address; });
    // Part of a look-up does not tell that an address is gone.
    if (listed) {
      slot.gone = false;
    } else if (!group.problem) {
      slot.gone = true;
    }
    if (slot.gone) slot.session.reset();
  }
  for (const Place& place : found.places) {
    const auto known = std::find_if(group.slots.begin(), group.slots.end(), [&](const Slot& slot) {
      return slot.place.address == place.address;
    });
    auto slot = known;
    if (slot == group.slots.end()) {
      slot = std::find_if(group.slots.begin(), group.slots.end(),
                          [](const Slot& each) { return each.gone; });
    }
    if (slot == group.slots.end()) {
      if (group.slots.size() >= kNodesPerGroup) continue;
      slot = group.slots.emplace(group.slots.end());
    }
    slot->place = place;
    slot->gone = false;
    if (!slot->session) {
      slot->session = Open(group, static_cast<size_t>(slot - group.slots.begin()), place.host);
    }
  }
}

bool NodeSet::Fresh(Duration max_age) const {
  return looked_up_ &&
         clock_.Steady() - *looked_up_ <= std::chrono::duration_cast<SteadyTime::duration>(max_age);
}

NodeList NodeSet::List(Duration max_age, const Deadline& deadline,
                       const std::stop_token& stop) NO_THREAD_SAFETY_ANALYSIS {
  const Waiter waiter(deadline, clock_, stop);
  mutex_.lock();
  // In slices, because a stop request notifies nobody.
  constexpr Duration kSlice = std::chrono::milliseconds(50);
  while (looking_up_ && !Fresh(max_age) && waiter.Check("look-up").ok()) {
    changed_.wait_for(mutex_, std::min(kSlice, deadline.Remaining(clock_)));
  }
  if (!Fresh(max_age) && !looking_up_) {
    looking_up_ = true;
    const uint64_t generation = generation_;
    const std::vector<std::shared_ptr<Group>> groups = groups_;
    mutex_.unlock();
    std::vector<Found> found;
    for (const std::shared_ptr<Group>& group : groups) found.push_back(LookUp(*group, waiter));
    mutex_.lock();
    looking_up_ = false;
    if (generation == generation_) {
      for (size_t i = 0; i < groups.size(); ++i) TakeOver(*groups[i], std::move(found[i]));
      looked_up_ = clock_.Steady();
    }
    changed_.notify_all();
  }
  NodeList list;
  for (const std::shared_ptr<Group>& group : groups_) {
    for (size_t number = 0; number < group->slots.size(); ++number) {
      const Slot& slot = group->slots[number];
      list.nodes.push_back({group->options.name + "/" + std::to_string(number), group->options.name,
                            group->options.expect, slot.place.address, slot.session});
    }
    if (group->problem) list.problems.push_back({group->options.name, *group->problem});
  }
  mutex_.unlock();
  return list;
}

}  // namespace spire_exporter::pg
