// The same page through libprotobuf: what the tests and the benchmarks hold the writer against.
#ifndef EXPORTER_EXPOSE_REFERENCE_PROTOBUF_H_
#define EXPORTER_EXPOSE_REFERENCE_PROTOBUF_H_

#include <string>
#include <string_view>
#include <vector>

#include "exporter/expose/page.h"

// Of metrics.pb.h, which who uses the messages includes.
namespace io::prometheus::client {
class MetricFamily;
}

namespace spire_exporter {

// Fills a message from a family, written for plainness and without the writer's code.
void FillMessage(const PageFamily& family, io::prometheus::client::MetricFamily* message);

// Every family of the page as libprotobuf writes it, each with its length before it.
std::string WriteByLibprotobuf(const Page& page);

// Reads such a body. Empty when any message is broken or something is left over.
std::vector<io::prometheus::client::MetricFamily> ReadByLibprotobuf(std::string_view body);

}  // namespace spire_exporter

#endif  // EXPORTER_EXPOSE_REFERENCE_PROTOBUF_H_
