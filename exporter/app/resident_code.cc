#include "exporter/app/resident_code.h"

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <vector>

namespace spire_exporter {
namespace {

int Release(dl_phdr_info* object, size_t, void* context) {
  // The kernel's own page is not ours to give back.
  if (std::strstr(object->dlpi_name, "vdso") != nullptr) return 0;
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  // A copy: they lie in what is given back first, and reading on would map it again, 64 KiB of each
  // library.
  const std::vector<ElfW(Phdr)> parts(object->dlpi_phdr, object->dlpi_phdr + object->dlpi_phnum);
  for (const ElfW(Phdr) & part : parts) {
    // What is not writable is as in the file: nothing is lost.
    if (part.p_type != PT_LOAD || (part.p_flags & PF_W) != 0) continue;
    const uintptr_t begin = (object->dlpi_addr + part.p_vaddr) / page * page;
    const uintptr_t end = (object->dlpi_addr + part.p_vaddr + part.p_filesz) / page * page;
    if (end <= begin) continue;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the loader tells addresses as numbers
    if (::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED) == 0) {
      *static_cast<size_t*>(context) += end - begin;
    }
  }
  return 0;
}

}  // namespace

size_t ReleaseIdleCode() {
  size_t released = 0;
  ::dl_iterate_phdr(Release, &released);
  return released;
}

}  // namespace spire_exporter
