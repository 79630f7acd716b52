#include "exporter/app/resident_code.h"

#include <gtest/gtest.h>
#include <link.h>

#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>

namespace spire_exporter {
namespace {

// KiB resident of what is mapped from files and executable.
size_t ResidentCode() {
  std::ifstream smaps("/proc/self/smaps");
  bool code = false;
  size_t resident = 0;
  for (std::string line; std::getline(smaps, line);) {
    std::istringstream words(line);
    std::string first, second;
    words >> first >> second;
    if (first.find('-') != std::string::npos && second.size() == 4) {
      code = second == "r-xp" && line.find('/') != std::string::npos;
    } else if (code && first == "Rss:") {
      resident += std::stoul(second);
    }
  }
  return resident;
}

int Touch(dl_phdr_info* object, size_t, void* sum) {
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& part = object->dlpi_phdr[i];
    if (part.p_type != PT_LOAD || (part.p_flags & PF_X) == 0) continue;
    for (size_t at = 0; at < part.p_filesz; at += 4096) {
      *static_cast<unsigned*>(sum) +=
          *reinterpret_cast<const volatile unsigned char*>(object->dlpi_addr + part.p_vaddr + at);
    }
  }
  return 0;
}

TEST(ResidentCodeTest, WhatIsNotRunIsNoLongerResidentAndComesBackAsItWas) {
  unsigned before = 0;
  unsigned after = 0;
  dl_iterate_phdr(Touch, &before);
  const size_t all = ResidentCode();
  const size_t released = ReleaseIdleCode();
  const size_t left = ResidentCode();
  EXPECT_GE(released / 1024, all / 2);
  EXPECT_LT(left, all / 2);
  dl_iterate_phdr(Touch, &after);
  EXPECT_EQ(after, before);
}

}  // namespace
}  // namespace spire_exporter
