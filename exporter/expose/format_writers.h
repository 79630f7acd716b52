// The writers behind Write(), one per format: use writer.h.
#ifndef EXPORTER_EXPOSE_FORMAT_WRITERS_H_
#define EXPORTER_EXPOSE_FORMAT_WRITERS_H_

#include <string>
#include <string_view>

#include "exporter/expose/output.h"
#include "exporter/expose/page.h"
#include "exporter/expose/writer.h"

namespace spire_exporter {

void WriteText(const Page& page, std::string& out);
void WriteOpenMetrics(const Page& page, const WriteOptions& options, std::string& out);
void WriteProtobuf(const Page& page, std::string& out);

// About the size of the page as text.
size_t ExpectedTextSize(const Page& page);

// `# KEYWORD name<suffix> text`, with backslash and line feed escaped, and the double quote where
// the format wants it.
void WriteMetadata(Output& out, std::string_view keyword, std::string_view name,
                   std::string_view suffix, std::string_view text, bool escape_quotes);

}  // namespace spire_exporter

#endif  // EXPORTER_EXPOSE_FORMAT_WRITERS_H_
