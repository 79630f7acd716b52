// Where SPIRE's values fan out: each is formatted once and handed to every DogStatsD client, to the
// Prometheus page and to the record of the truth.
#ifndef TESTS_FAKES_EMITTER_H_
#define TESTS_FAKES_EMITTER_H_

#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "exporter/base/clock.h"
#include "tests/fakes/dogstatsd_client.h"
#include "tests/fakes/keys.h"
#include "tests/fakes/metrics_page.h"

namespace spire_exporter::fakes {

struct EmitterOptions {
  Role role = Role::kServer;
  Release release = Release::k1_15_3;
  std::string prefix;       // in place of the service name, as SPIRE's MetricPrefix; empty: none
  std::string host = "vm";  // the tag that comes last; empty: EnableHostnameLabel=false
  std::string trust_domain_tag;  // EnableTrustDomainLabel: `example_org`; empty: off
  std::string global_tags;       // what DD_ENV and its kin put first: `env:prod`
};

// Not safe from several threads. The clients, the page and the stream of the truth outlive it.
class Emitter {
 public:
  // A key with its tags and one wire type, formatted as far as possible.
  struct Instrument;

  // `truth` may be null. It gets a line per value handed over: Unix seconds, wire type, key with
  // service name, status or `-`, value, separated by tabs.
  Emitter(EmitterOptions options, const Clock& clock, std::vector<DogStatsdClient*> clients,
          MetricsPage* page, std::ostream* truth);
  ~Emitter();

  const EmitterOptions& options() const { return options_; }
  // Null when the release played does not send that key.
  const Key* Lookup(std::string_view key) const {
    return FindKey(options_.role, options_.release, key);
  }

  // Each does nothing when the release does not send the key.
  void Count(std::string_view key, double value = 1, const Tags& tags = {});
  void Set(std::string_view key, double value, const Tags& tags = {});
  // Without the detour through a float32.
  void SetPrecisely(std::string_view key, double value, const Tags& tags = {});
  void Sample(std::string_view key, double value, const Tags& tags = {});
  // A call counter and its timer.
  void Call(std::string_view key, std::string_view status, double milliseconds,
            const Tags& tags = {});

  // For loads that hand over the same thing very often: a call counter and its timer, prepared.
  struct PreparedCall {
    Instrument* counter;
    Instrument* timer;
  };
  PreparedCall Prepare(std::string_view key, std::string_view status);
  void Call(const PreparedCall& call, double milliseconds);

  // Lets values pass (the default) or swallows them, as if SPIRE did nothing.
  void set_running(bool running) { running_ = running; }
  uint64_t values() const { return values_; }

 private:
  enum class Wire { kCounter, kGauge, kTimer };
  Instrument* Find(const Key& key, std::string_view ending, Wire wire, const Tags& tags);
  void Hand(Instrument* instrument, double value);
  void Record(const Instrument& instrument, double value);

  const EmitterOptions options_;
  const Clock& clock_;
  const std::vector<DogStatsdClient*> clients_;
  MetricsPage* const page_;
  std::ostream* const truth_;
  std::unordered_map<std::string, std::unique_ptr<Instrument>> instruments_;
  std::string scratch_;
  bool running_ = true;
  uint64_t values_ = 0;
};

// SPIRE's own cleaning of label values: runs of other characters than letters, digits and
// underscore become one underscore.
std::string SanitizedLabel(std::string_view value);

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_EMITTER_H_
