#include "collectors/telemetry/digest.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "collectors/telemetry/families.h"

namespace spire_exporter::telemetry {
namespace {

// SPIRE's client keeps lines for up to 0.1 s, and a datagram may wait a moment.
constexpr Duration kStreamDelay = std::chrono::milliseconds(300);
// A start that comes out further from the one before is another one, or the clock was set.
constexpr double kSameStartSeconds = 30;
constexpr double kLatestYear = 253'402'300'799;  // the end of 9999
constexpr double kLongestLife = 100.0 * 366 * 86'400;
constexpr double kLargestCache = 1e9;

// Since 1970 and before the year 10000, rounded down; nothing for another value.
std::optional<spire::UnixTime> ToUnixTime(double seconds) {
  if (!(seconds >= 0 && seconds <= kLatestYear)) return std::nullopt;
  return spire::UnixTime(std::chrono::seconds(static_cast<int64_t>(seconds)));
}

std::optional<uint64_t> ToCount(std::optional<double> value) {
  if (!value || !(*value >= 0 && *value <= kLargestCache)) return std::nullopt;
  return static_cast<uint64_t>(*value);
}

uint64_t CountOf(const Series& series) {
  return series.histogram != nullptr ? series.histogram->count : 0;
}

}  // namespace

std::string PlainVersion(std::string_view text) {
  std::string out;
  int dots = 0;
  bool digit = false;
  for (const char c : text) {
    if (c >= '0' && c <= '9') {
      out += c;
      digit = true;
    } else if ((c == '.' || c == '_') && digit && dots < 2) {
      out += '.';
      ++dots;
      digit = false;
    } else {
      break;
    }
    if (out.size() > 32) return {};
  }
  return dots == 2 && digit ? out : std::string();
}

Digest::Seen Digest::Read(const Snapshot& snapshot) {
  Seen seen;
  for (const Family& family : snapshot.families) {
    const FamilyDescription* const what = family.description;
    if (what == &kCallDuration) {
      for (const Series& series : family.series) {
        const std::string_view call = series.labels->Get("call");
        const bool good = series.labels->Get("status") == "OK";
        if (call == "sync_entries") (good ? seen.good : seen.bad) += CountOf(series);
        if (call == "sync_svids" && !good) seen.svids_bad += CountOf(series);
      }
    } else if (what == &kUptime || what == &kComponentInfo) {
      for (const Series& series : family.series) {
        const std::string_view component = series.labels->Get("component");
        if (what == &kUptime && component == "agent") seen.uptime = series.value;
        if (what != &kComponentInfo) continue;
        const std::string version = PlainVersion(series.labels->Get("version"));
        if (component == "agent") seen.agent_version = version;
        if (component == "server") seen.server_version = version;
      }
    } else if (what == &kBootstrapStart) {
      for (const Series& series : family.series) {
        seen.rebootstrap_began |= series.labels->Get("mode") == "rebootstrap";
      }
    } else if (what->name == "spire_exporter_telemetry_last_data_timestamp_seconds") {
      for (const Series& series : family.series) {
        if (series.labels->Get("source") == "scrape") seen.page = series.value;
      }
    } else if (!family.series.empty()) {
      const double value = family.series.front().value;
      if (what == &kLruCacheSvids) seen.x509 = value;
      if (what == &kJwtCacheSvids) seen.jwt = value;
      if (what == &kBootstrapped) seen.bootstrapped = value;
    }
  }
  return seen;
}

std::optional<SystemTime> Digest::Since(bool stream_speaks, SteadyTime now, SystemTime wall) const {
  if (!looked_) return std::nullopt;
  if (stream_speaks) return wall - (now - *looked_) - kStreamDelay;
  if (!page_before_) return std::nullopt;
  return SystemTime(std::chrono::duration_cast<SystemTime::duration>(
      std::chrono::duration<double>(*page_before_)));
}

void Digest::FollowSyncs(const Seen& seen, std::optional<SystemTime> since) {
  const bool first = !looked_;
  const auto rise = [first](uint64_t now, uint64_t before) {
    return first || now < before ? 0 : now - before;
  };
  const uint64_t good = rise(seen.good, good_);
  const uint64_t failed = rise(seen.bad, bad_) + rise(seen.svids_bad, svids_bad_);
  good_ = seen.good;
  bad_ = seen.bad;
  svids_bad_ = seen.svids_bad;
  // Entries without SVIDs are no success, and the order of both in one look is not known.
  if (failed > 0) {
    failed_ += failed;
    return;
  }
  if (good == 0) return;
  failed_ = 0;
  if (since) {
    if (const auto time = ToUnixTime(UnixSeconds(*since))) last_sync_ = time;
  }
}

// A heartbeat is seen up to one look after it came, which makes the start look late.
void Digest::FollowStart(double uptime, SystemTime wall) {
  if (uptime_ == uptime) return;
  if (!(uptime >= 0 && uptime <= kLongestLife)) return;
  const double start = UnixSeconds(wall) - uptime;
  const bool same =
      uptime_ && uptime > *uptime_ && started_ && std::abs(start - *started_) < kSameStartSeconds;
  started_ = same ? std::min(*started_, start) : start;
  uptime_ = uptime;
}

DigestView Digest::Take(const Snapshot& snapshot, bool stream_speaks, SteadyTime now,
                        SystemTime wall) {
  const Seen seen = Read(snapshot);
  if (seen.page != page_) {
    page_before_ = page_;
    page_ = seen.page;
  }
  FollowSyncs(seen, Since(stream_speaks, now, wall));
  looked_ = now;
  DigestView view;
  view.agent_version = seen.agent_version;
  view.server_version = seen.server_version;
  if (!seen.uptime) return view;
  FollowStart(*seen.uptime, wall);
  spire::AgentTelemetryFact fact;
  fact.last_sync = last_sync_;
  fact.failed_syncs = failed_;
  fact.cached_x509_svids = ToCount(seen.x509);
  fact.cached_jwt_svids = ToCount(seen.jwt);
  if (started_) fact.started = ToUnixTime(*started_);
  if (seen.bootstrapped) fact.bootstrapped = *seen.bootstrapped > 0;
  fact.rebootstrapping = fact.bootstrapped == false && seen.rebootstrap_began;
  view.agent = fact;
  return view;
}

}  // namespace spire_exporter::telemetry
