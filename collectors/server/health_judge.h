// What a server says of its own health, what it is by the evidence of others, and when Kubernetes
// would end it. Pure.
//
// SPIRE looks at itself once a minute and answers /live and /ready from that look
// (pkg/common/health); on a server both say the same. So what it says is up to 60 s old, and a look
// that hangs leaves the old answer standing: through a database that hung for 130 s it said 200,
// and 500 for a minute after the cure. Its word therefore never decides where there is evidence.
#ifndef COLLECTORS_SERVER_HEALTH_JUDGE_H_
#define COLLECTORS_SERVER_HEALTH_JUDGE_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "collectors/clients/http/response_reader.h"
#include "exporter/base/clock.h"
#include "exporter/base/result.h"

namespace spire_exporter::server {

// Closed; what an endpoint said.
//   ok           200
//   failing      500
//   foreign      something answers that is no health endpoint of SPIRE
//   timeout      no whole answer within the deadline
//   unreachable  refused, reset, or a name that stands for nothing
inline constexpr std::array<std::string_view, 5> kHealthStates = {"failing", "foreign", "ok",
                                                                  "timeout", "unreachable"};

// The parts that a server looks at (1.7 to 1.15). `other` is what we do not know.
inline constexpr std::array<std::string_view, 5> kSubsystems = {
    "catalog.datastore", "server", "server.ca", "server.ca.rotator", "other"};
inline constexpr size_t kDatastore = 0;
inline constexpr size_t kAuthority = 2;
inline constexpr size_t kOther = 4;

struct HealthAnswer {
  std::string_view state = "unreachable";
  // By kSubsystems: whether it has an error; absent for a part that is not listed.
  std::array<std::optional<bool>, kSubsystems.size()> failing;
};

// Reads the JSON of at most 64 KiB: the parts and whether each has an error. The texts of the
// errors, which may name hosts, are dropped.
HealthAnswer JudgeAnswer(const Result<HttpReply>& reply);

// What others saw; absent where nobody looked lately.
struct Evidence {
  std::optional<bool> serving;   // this server answered GetBundle, which reads the database
  std::optional<bool> database;  // some primary takes writes
};

// Closed; what the server is.
//   healthy        it serves
//   not_signing    it serves, and by its own word, up to 60 s old, it cannot sign: its key manager
//                  fails, and what is renewed is not
//   database       it does not serve, and neither does its database
//   server_broken  it does not serve, and the database is not why
//   unreachable    neither its port nor its health endpoint answers
//   unknown        the signs contradict each other, or say too little
inline constexpr std::array<std::string_view, 6> kVerdicts = {
    "healthy", "not_signing", "database", "server_broken", "unreachable", "unknown"};
std::string_view JudgeServer(const HealthAnswer& live, const HealthAnswer& ready,
                             const Evidence& evidence);

// Closed; SPIRE's word against the evidence.
//   agrees      they say the same
//   says_well   200 while it does not serve
//   says_ill    not 200 while it serves and signs: a liveness probe would end a healthy server
//   unknown     no evidence
inline constexpr std::array<std::string_view, 4> kAgreements = {"agrees", "says_well", "says_ill",
                                                                "unknown"};
std::string_view JudgeAgreement(const HealthAnswer& live, const HealthAnswer& ready,
                                const Evidence& evidence);

// A liveness probe as Kubernetes does it: after `failures` bad answers in a row, `period` apart,
// the container is ended. failures 0: there is no such probe.
struct LivenessProbe {
  int64_t failures = 2;
  Duration period = std::chrono::seconds(60);
};

// When it would strike if nothing changes, from when the answers turned bad. Kubernetes asks at
// times of its own, so it is a span. Not safe from several threads.
class LivenessClock {
 public:
  struct Strike {
    std::optional<SteadyTime> earliest;  // absent where no good answer was ever seen
    SteadyTime latest;
  };

  explicit LivenessClock(LivenessProbe probe) : probe_(probe) {}

  // An answer of /live and when it was asked for. Absent while all is well, and for an endpoint
  // that nobody ever saw.
  std::optional<Strike> OnAnswer(const HealthAnswer& live, SteadyTime asked);

 private:
  const LivenessProbe probe_;
  std::optional<SteadyTime> last_good_;
  std::optional<SteadyTime> first_bad_;
};

}  // namespace spire_exporter::server

#endif  // COLLECTORS_SERVER_HEALTH_JUDGE_H_
