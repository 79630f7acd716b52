// A reader of both text formats for tests, stricter than any that a page will meet: it takes only
// what our writers may write.
#ifndef EXPORTER_EXPOSE_STRICT_READER_H_
#define EXPORTER_EXPOSE_STRICT_READER_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/base/result.h"
#include "exporter/expose/writer.h"

namespace spire_exporter {

struct ReadSample {
  std::string name;
  std::vector<std::pair<std::string, std::string>> labels;  // unescaped
  double value = 0;

  // The value of a label, empty when there is none.
  std::string_view Get(std::string_view label) const;
};

struct ReadFamily {
  std::string name;
  std::string type;
  std::string unit;
  std::string help;  // unescaped
  std::vector<ReadSample> samples;
};

// Fails at the first line that breaks a rule, and tells its number.
Result<std::vector<ReadFamily>> ReadStrictly(Format format, std::string_view page);

}  // namespace spire_exporter

#endif  // EXPORTER_EXPOSE_STRICT_READER_H_
