#include "collectors/clients/spiffe/read_classes.h"

#include <utility>

namespace spire_exporter::spiffe {

Status ReadClasses(const ConfigNode& node, std::vector<ClassOptions>* classes) {
  std::vector<ClassOptions> read;
  if (node.present()) {
    if (node.kind() != ConfigNode::Kind::kSequence) {
      return node.Fail("expected a list of classes, each with name and match");
    }
    for (const ConfigNode& item : node.items()) {
      ClassOptions one;
      ConfigReader reader(item);
      reader.Read("name", &one.name);
      reader.Read("match", &one.match);
      if (const Status status = reader.Finish(); !status.ok()) return status;
      read.push_back(std::move(one));
      // Each as it comes, so that the error has its place.
      if (const auto made = ClassMap::Make(read); !made.ok()) {
        Error error = made.error();
        error.where = item.where();
        return error;
      }
    }
  }
  *classes = std::move(read);
  return {};
}

std::string Fingerprint(const std::vector<ClassOptions>& classes) {
  std::string text;
  for (const ClassOptions& one : classes) text += one.name + ' ' + one.match + '\n';
  return text;
}

}  // namespace spire_exporter::spiffe
