// Files of lines in which the parts of a simulated SPIRE keep what they know.
#ifndef TESTS_FAKES_IDENTITY_RECORD_H_
#define TESTS_FAKES_IDENTITY_RECORD_H_

#include <string>
#include <string_view>
#include <vector>

#include "exporter/base/result.h"

namespace spire_exporter::fakes {

std::string EncodeHex(std::string_view bytes);
std::string DecodeHex(std::string_view text);

// Whoever reads sees the old lines or the new ones, never a part.
Status WriteRecord(const std::string& path, const std::vector<std::string>& lines);
// kNotFound without a file.
Result<std::vector<std::string>> ReadRecord(const std::string& path);

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_IDENTITY_RECORD_H_
