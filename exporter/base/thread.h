// Names for threads, so that the table of threads on the page is true to what runs.
#ifndef EXPORTER_BASE_THREAD_H_
#define EXPORTER_BASE_THREAD_H_

#include <pthread.h>

#include <string>
#include <string_view>

namespace spire_exporter {

// Names the calling thread as the kernel shows it; cut to the 15 bytes that Linux keeps.
inline void NameThisThread(std::string_view name) {
  pthread_setname_np(pthread_self(), std::string(name.substr(0, 15)).c_str());
}

}  // namespace spire_exporter

#endif  // EXPORTER_BASE_THREAD_H_
