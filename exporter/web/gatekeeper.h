// Judges requests by the web configuration in force.
#ifndef EXPORTER_WEB_GATEKEEPER_H_
#define EXPORTER_WEB_GATEKEEPER_H_

#include <memory>
#include <string>
#include <vector>

#include "exporter/base/clock.h"
#include "exporter/base/mutex.h"
#include "exporter/http/gate.h"
#include "exporter/web/password_checker.h"
#include "exporter/web/web_config.h"

namespace spire_exporter {

// In this order: the rate limit (429), what the client's certificate says (403), then password or
// token (401); each only where it is asked for. Safe from any thread.
class Gatekeeper final : public HttpGate {
 public:
  // `clock` outlives this. Lets everybody in until Apply().
  explicit Gatekeeper(const Clock& clock);

  // For the next request on. `token` is what the file of the configuration holds; empty lets no
  // token in.
  void Apply(WebConfig config, std::string token) EXCLUDES(mutex_);

  Verdict Judge(const Visitor& visitor) override EXCLUDES(mutex_);
  int ready_fd() const override { return passwords_.ready_fd(); }
  std::vector<uint64_t> TakeReady() override { return passwords_.TakeReady(); }
  HttpFields Headers() const override EXCLUDES(mutex_);

 private:
  // Value of the configuration and its token, replaced as a whole.
  struct Rules {
    WebConfig config;
    std::string token;
  };
  std::shared_ptr<const Rules> rules() const EXCLUDES(mutex_);
  bool TakeToken(const RateLimit& limit) EXCLUDES(mutex_);
  Verdict JudgePassword(const Rules& rules, const Visitor& visitor);

  const Clock& clock_;
  PasswordChecker passwords_;
  mutable Mutex mutex_;
  std::shared_ptr<const Rules> rules_ GUARDED_BY(mutex_);
  // A bucket that fills by one each interval, up to the burst.
  double tokens_ GUARDED_BY(mutex_) = 0;
  SteadyTime filled_ GUARDED_BY(mutex_);
};

}  // namespace spire_exporter

#endif  // EXPORTER_WEB_GATEKEEPER_H_
