// What the probe of the servers is told.
#ifndef COLLECTORS_SVID_REACH_OPTIONS_H_
#define COLLECTORS_SVID_REACH_OPTIONS_H_

#include <string>

#include "exporter/base/clock.h"

namespace spire_exporter::svid {

// A server looks at its own port, which costs nobody else anything. Agents are many: what they ask
// of the servers has to stay small beside what SPIRE's agents ask (README.md, cost).
inline constexpr Duration kServerReachInterval = std::chrono::seconds(15);
inline constexpr Duration kAgentReachInterval = std::chrono::seconds(60);

struct ReachOptions {
  // `spire-server.spire:8081`, `127.0.0.1:8081`, `[::1]:8081`; several separated by commas.
  std::string address;
  // The bundle that agents start with, PEM or SPIFFE's JSON; empty when there is none to compare.
  std::string bootstrap_bundle_file;
  std::string trust_domain;                  // `example.org`; empty: the one that the servers say
  Duration interval = kServerReachInterval;  // between looks, while all is as it was
  Duration timeout = std::chrono::seconds(3);
};

}  // namespace spire_exporter::svid

#endif  // COLLECTORS_SVID_REACH_OPTIONS_H_
