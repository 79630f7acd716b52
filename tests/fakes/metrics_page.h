// SPIRE's Prometheus endpoint as a page: counters, gauges and summaries in the text format 0.0.4 as
// client_golang writes it.
#ifndef TESTS_FAKES_METRICS_PAGE_H_
#define TESTS_FAKES_METRICS_PAGE_H_

#include <array>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/base/clock.h"

namespace spire_exporter::fakes {

using Tags = std::vector<std::pair<std::string, std::string>>;

// Not safe from several threads.
class MetricsPage {
 public:
  enum class Type { kCounter, kGauge, kSummary };

  // One series of a family. A summary remembers ten seconds in five steps of two, like
  // client_golang with a MaxAge of 10 s; of a step at most 4,096 values, thinned out at random.
  class Series {
   public:
    void Add(double value) { value_ += value; }
    void Set(double value) { value_ = value; }
    void Observe(double value, SteadyTime now);
    double value() const { return value_; }

   private:
    friend class MetricsPage;
    struct Step {
      int64_t number = -1;
      uint64_t seen = 0;
      std::vector<float> values;
    };
    // The values that are not older than the window, sorted.
    std::vector<float> Window(SteadyTime now) const;

    std::string labels_;  // rendered, without braces and quantile
    double value_ = 0;    // the sum, for a summary
    uint64_t count_ = 0;
    std::array<Step, 5> steps_;
  };

  // Makes the series when it is new. The pointer lives as long as the page.
  Series* Find(const std::string& family, Type type, const Tags& labels);
  // Adds a family that is already rendered, HELP and TYPE included.
  void AddRendered(const std::string& family, std::string text);

  // Families sorted bytewise, series by their labels, labels by name.
  void Write(SteadyTime now, std::string* out) const;

 private:
  struct Family {
    Type type;
    std::string rendered;
    std::map<std::string, std::unique_ptr<Series>> series;
  };
  static void WriteSeries(const std::string& name, const Family& family, SteadyTime now,
                          std::string* out);

  std::map<std::string, Family> families_;
};

// The name on the page for a key: separators and what Prometheus forbids become underscores.
std::string PageName(std::string_view key);

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_METRICS_PAGE_H_
