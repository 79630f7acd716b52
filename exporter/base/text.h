// Small words on text that several packages need: durations and sizes as people write them, the
// nearest name for a typing error, quoting.
#ifndef EXPORTER_BASE_TEXT_H_
#define EXPORTER_BASE_TEXT_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/base/clock.h"
#include "exporter/base/result.h"

namespace spire_exporter {

// `15s`, `1m30s`, `250ms`, `1.5h`, `2d`: numbers with the units ns, us, ms, s, m, h, d. A bare `0`
// is zero; any other bare number is an error, as is a negative one or one beyond a century.
Result<Duration> ParseDuration(std::string_view text);
// The shortest such text: `1m30s`. Round-trips.
std::string FormatDuration(Duration duration);

// `512`, `64KiB`, `4MiB`, `1GiB` in bytes. Decimal units (KB, MB) are an error that names the
// binary one.
Result<uint64_t> ParseSize(std::string_view text);
std::string FormatSize(uint64_t bytes);

// The candidate within a third of `name`'s length in edit distance (at least 1, at most 4), or
// empty.
std::string_view NearestName(std::string_view name, std::span<const std::string_view> candidates);

// `text` between double quotes, with anything but printable ASCII escaped, cut at 200 bytes: for
// messages that quote what a peer or a person wrote.
std::string Quoted(std::string_view text);

// `text` as one word of a POSIX shell's command, bare where nothing in it needs quotes. For
// commands that are shown to people; control characters become `?`.
std::string ShellWord(std::string_view text);

std::vector<std::string_view> Split(std::string_view text, char separator);
std::string_view Trim(std::string_view text);

// The text of an errno value. Safe from any thread.
std::string ErrnoText(int error_number);

}  // namespace spire_exporter

#endif  // EXPORTER_BASE_TEXT_H_
