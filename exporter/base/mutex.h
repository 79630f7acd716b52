// A mutex that clang's thread-safety analysis understands, and the words for it. libstdc++'s
// std::mutex is not an annotated capability, so fields guarded by it could not be checked.
#ifndef EXPORTER_BASE_MUTEX_H_
#define EXPORTER_BASE_MUTEX_H_

#include <mutex>

#if defined(__clang__)
#define SPIRE_EXPORTER_TSA(x) __attribute__((x))
#else
#define SPIRE_EXPORTER_TSA(x)
#endif

#define GUARDED_BY(x) SPIRE_EXPORTER_TSA(guarded_by(x))
#define REQUIRES(...) SPIRE_EXPORTER_TSA(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) SPIRE_EXPORTER_TSA(locks_excluded(__VA_ARGS__))
#define NO_THREAD_SAFETY_ANALYSIS SPIRE_EXPORTER_TSA(no_thread_safety_analysis)

namespace spire_exporter {

// Named lock/unlock so that std::condition_variable_any takes it as its lock.
class SPIRE_EXPORTER_TSA(capability("mutex")) Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void lock() SPIRE_EXPORTER_TSA(acquire_capability()) { mutex_.lock(); }
  void unlock() SPIRE_EXPORTER_TSA(release_capability()) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

// Holds a Mutex for a scope.
class SPIRE_EXPORTER_TSA(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) SPIRE_EXPORTER_TSA(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.lock();
  }
  ~MutexLock() SPIRE_EXPORTER_TSA(release_capability()) { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace spire_exporter

#endif  // EXPORTER_BASE_MUTEX_H_
