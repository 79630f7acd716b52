// A real PostgreSQL with SPIRE's tables, and a collector's look at it, for tests.
#ifndef COLLECTORS_DATASTORE_TEST_DATABASE_H_
#define COLLECTORS_DATASTORE_TEST_DATABASE_H_

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/clients/postgres/node_set.h"
#include "collectors/clients/postgres/test_postgres.h"
#include "exporter/base/clock.h"
#include "exporter/base/logger.h"
#include "exporter/collect/collector.h"
#include "exporter/collect/facts.h"
#include "exporter/metrics/family.h"

namespace spire_exporter::datastore {

// Drops what there is and makes SPIRE's tables of a schema version.
inline void MakeTables(pg::TestPostgres& server, int version) {
  std::ifstream file(std::string(HOUSE_TESTDATA) + "/spire_schema_" + std::to_string(version) +
                     ".sql");
  std::stringstream text;
  text << file.rdbuf();
  ASSERT_FALSE(text.str().empty());
  const auto made = server.Sql(
      "SET client_min_messages = error; DROP SCHEMA public CASCADE; CREATE SCHEMA public;"
      "GRANT USAGE ON SCHEMA public TO public;" +
      text.str());
  ASSERT_TRUE(made.ok()) << made.error().what;
}

// The pages that a collector makes, by the names and labels of their series.
class Page {
 public:
  explicit Page(FamilyList families) : families_(std::move(families)) {}

  const Series* Find(std::string_view name, std::string_view labels = "") const {
    for (const Family& family : families_) {
      if (family.description->name != name) continue;
      for (const Series& series : family.series) {
        if (series.labels->rendered() == labels) return &series;
      }
    }
    return nullptr;
  }
  std::optional<double> Value(std::string_view name, std::string_view labels = "") const {
    const Series* const series = Find(name, labels);
    return series == nullptr ? std::nullopt : std::optional<double>(series->value);
  }
  // The state that is 1 among those of the other labels, `part="ids"`.
  std::string State(std::string_view name, std::string_view label,
                    std::string_view others = "") const {
    for (const Family& family : families_) {
      if (family.description->name != name) continue;
      for (const Series& series : family.series) {
        if (series.value == 1 && series.labels->rendered().find(others) != std::string::npos) {
          return std::string(series.labels->Get(label));
        }
      }
    }
    return "";
  }
  const FamilyList& families() const { return families_; }

 private:
  FamilyList families_;
};

// Real time, and what the test adds to it.
class MovedClock final : public Clock {
 public:
  SteadyTime Steady() const override { return real_.Steady() + moved_; }
  SystemTime System() const override {
    return real_.System() + std::chrono::duration_cast<SystemTime::duration>(moved_);
  }
  void Advance(Duration by) { moved_ += by; }

 private:
  RealClock real_;
  Duration moved_{0};
};

// The nodes behind connection files, and a clock that the test moves.
class Watcher {
 public:
  explicit Watcher(const std::vector<std::string>& conninfo_files)
      : nodes_(std::make_shared<pg::NodeSet>(clock_, logger_)) {
    pg::ClientOptions options;
    for (size_t i = 0; i < conninfo_files.size(); ++i) {
      options.groups.push_back({i == 0 ? "rw" : "ro", conninfo_files[i],
                                i == 0 ? pg::Expect::kPrimary : pg::Expect::kStandby});
    }
    nodes_->Configure(options);
  }

  const std::shared_ptr<pg::NodeSet>& nodes() const { return nodes_; }
  FactsBoard& facts() { return facts_; }
  MovedClock& clock() { return moved_; }

  Result<Reading> Look(Collector& collector) {
    return collector.Collect(
        {Deadline::After(clock_, std::chrono::seconds(20)), {}, moved_, facts_});
  }
  // The page of a look that must bring one, whole or not.
  Page LookWell(Collector& collector, Status* problem = nullptr) {
    auto reading = Look(collector);
    EXPECT_TRUE(reading.ok()) << (reading.ok() ? "" : reading.error().what);
    if (!reading.ok()) return Page({});
    if (problem != nullptr) {
      *problem = reading->problem;
    } else {
      EXPECT_TRUE(reading->problem.ok()) << reading->problem.error().what;
    }
    return Page(reading->families.Take());
  }

 private:
  RealClock clock_;
  MovedClock moved_;
  NullLogger logger_;
  FactsBoard facts_;
  std::shared_ptr<pg::NodeSet> nodes_;
};

}  // namespace spire_exporter::datastore

#endif  // COLLECTORS_DATASTORE_TEST_DATABASE_H_
