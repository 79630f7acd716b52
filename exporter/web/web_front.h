// The web configuration in force, and the thread that keeps it current: the file, the certificates
// it names and the token are looked at every second, and an SVID is put to use when it comes.
#ifndef EXPORTER_WEB_WEB_FRONT_H_
#define EXPORTER_WEB_WEB_FRONT_H_

#include <condition_variable>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <thread>

#include "exporter/base/clock.h"
#include "exporter/base/config_node.h"
#include "exporter/base/logger.h"
#include "exporter/base/mutex.h"
#include "exporter/base/result.h"
#include "exporter/http/gate.h"
#include "exporter/metrics/family.h"
#include "exporter/tls/tls_server.h"
#include "exporter/tls/workload_source.h"
#include "exporter/web/gatekeeper.h"
#include "exporter/web/web_tls.h"

namespace spire_exporter {

// The families of WebFront::AddTo(), for the reference.
std::span<const FamilyDescription* const> WebFamilies();

// Parses the text of the file into a tree; `file` is for messages.
using ParseWebConfig =
    std::function<Result<ConfigNode>(const std::string& text, const std::string& file)>;

// Whether WebFront::Start() would take the file, and what it names, as they are now, with the same
// error. An agent is not asked for its SVID, as a start does not wait for one.
Status CheckWebFiles(const std::string& file, const ParseWebConfig& parse);

// Safe from any thread after Start().
class WebFront {
 public:
  // The references outlive this. `make_workload` makes what `spiffe` asks for; empty where that is
  // an error.
  WebFront(std::string file, ParseWebConfig parse, const Clock& clock, Logger& logger,
           MakeWorkloadSource make_workload = {});
  ~WebFront();
  WebFront(const WebFront&) = delete;
  WebFront& operator=(const WebFront&) = delete;

  // Loads everything for the first time; starts to watch only when all is good. Does not wait for
  // the Workload API: until an SVID comes no handshake is answered.
  Status Start();
  // Loads now, as the watching thread does each second. What is bad leaves the last good in force.
  // Whether there is TLS at all needs a restart to change.
  Status Reload() EXCLUDES(load_mutex_, mutex_);

  // Null when the configuration has no TLS. Valid after Start().
  const TlsServer* tls() const { return has_tls_ ? &tls_.server() : nullptr; }
  // What the page waits for before anybody can read it, as one line; empty when for nothing.
  std::string Waiting() const { return has_tls_ ? tls_.Waiting() : std::string(); }
  HttpGate* gate() { return &gate_; }
  // Whether passwords or tokens would go over the wire for everybody to read.
  bool secrets_without_tls() const { return asks_for_password_ && !has_tls_; }

  void AddTo(FamilyBuilder& families) const EXCLUDES(mutex_);

 private:
  struct State {
    bool good = false;
    double good_seconds = 0;
    std::string error;
  };
  Status Load() REQUIRES(load_mutex_);
  Status LoadFile(const std::string& text) REQUIRES(load_mutex_);
  Status LoadToken() REQUIRES(load_mutex_);
  void Note(const Status& outcome) REQUIRES(load_mutex_) EXCLUDES(mutex_);
  void Watch(const std::stop_token& stop) EXCLUDES(load_mutex_, wake_mutex_);
  void Wake() EXCLUDES(wake_mutex_);

  const std::string file_;
  const ParseWebConfig parse_;
  const Clock& clock_;
  Logger& logger_;
  // Before tls_, whose source wakes the thread until it ends.
  Mutex wake_mutex_;
  std::condition_variable_any wake_;
  bool changed_ GUARDED_BY(wake_mutex_) = false;
  WebTls tls_;
  Gatekeeper gate_;
  bool has_tls_ = false;            // constant after Start()
  bool asks_for_password_ = false;  // the same

  Mutex load_mutex_;  // one load at a time, which may wait for a disk: never taken by a scrape
  bool good_ GUARDED_BY(load_mutex_) = false;  // the last load
  std::string text_ GUARDED_BY(load_mutex_);   // in force
  std::string token_ GUARDED_BY(load_mutex_);  // in force
  WebConfig config_ GUARDED_BY(load_mutex_);   // in force
  mutable Mutex mutex_;
  State state_ GUARDED_BY(mutex_);
  std::jthread thread_;  // last
};

}  // namespace spire_exporter

#endif  // EXPORTER_WEB_WEB_FRONT_H_
