// Which of the program's own pages stay in memory.
#ifndef EXPORTER_APP_RESIDENT_CODE_H_
#define EXPORTER_APP_RESIDENT_CODE_H_

#include <cstddef>

namespace spire_exporter {

// Takes all pages of code and constants, of the program and of its libraries, out of this process'
// page table. They stay in the page cache, and whoever runs on into one gets it back by a minor
// fault, with its neighbours: what only a start, a reload or a rare round had needed is resident no
// longer, here three or four MiB. Bytes that were taken out. From any thread, while others run;
// some 100 us, and as much again for those that come back.
size_t ReleaseIdleCode();

}  // namespace spire_exporter

#endif  // EXPORTER_APP_RESIDENT_CODE_H_
