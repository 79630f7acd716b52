// What the looks at all nodes mean, one after the other.
#ifndef COLLECTORS_DATASTORE_SUMMARY_JUDGE_H_
#define COLLECTORS_DATASTORE_SUMMARY_JUDGE_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/clients/postgres/ask.h"
#include "collectors/datastore/event_follower.h"
#include "collectors/datastore/events_lag.h"
#include "collectors/datastore/id_clock.h"
#include "collectors/datastore/restore_watch.h"
#include "collectors/datastore/summary_families.h"
#include "collectors/datastore/summary_read.h"
#include "exporter/base/clock.h"
#include "exporter/base/result.h"

namespace spire_exporter::datastore {

// Not safe from several threads. Keeps what needs more than one look: counts, windows, marks.
class SummaryJudge {
 public:
  using Answers = std::vector<pg::Answer<NodeSummary>>;

  // The columns last found on the primary; null when they are to be read anew: every ten minutes,
  // and every minute while something could not be read.
  std::shared_ptr<const Schema> SchemaToUse(SteadyTime now) const;
  FollowRequest Follow() const { return follower_.Next(); }

  // `problem` is set when a primary did not answer, or not in whole for a reason that may pass.
  SummaryView Judge(const Answers& answers, SteadyTime now, SystemTime wall, Status* problem);

 private:
  const pg::Answer<NodeSummary>* Primary(const Answers& answers);
  void JudgePrimary(const NodeSummary& primary, SteadyTime now, SystemTime wall, SummaryView& view,
                    Status* problem);
  void WatchForRestore(const NodeSummary& primary, SystemTime wall);
  void JudgeNodes(const Answers& answers, const pg::Answer<NodeSummary>* primary, SteadyTime now,
                  SummaryView& view);

  std::string primary_;  // the node's name at the last look
  std::shared_ptr<const Schema> schema_;
  SteadyTime schema_read_;
  bool schema_whole_ = false;  // everything could be read with it
  EventFollower follower_;
  EventsLag entry_lag_;
  EventsLag agent_lag_;
  Propagation propagation_;
  IdClock clock_;
  RestoreWatch watch_;
};

}  // namespace spire_exporter::datastore

#endif  // COLLECTORS_DATASTORE_SUMMARY_JUDGE_H_
