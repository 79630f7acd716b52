// Clients that several collectors use together, so that a source is visited once and not by each of
// them.
#ifndef EXPORTER_COLLECT_SHARED_CLIENTS_H_
#define EXPORTER_COLLECT_SHARED_CLIENTS_H_

#include <map>
#include <memory>
#include <typeindex>

#include "exporter/base/mutex.h"

namespace spire_exporter {

// One object a type: made by the first who asks, gone with the last who has it. Safe from any
// thread; `make` is called under the lock and must not ask again.
class SharedClients {
 public:
  SharedClients() = default;
  SharedClients(const SharedClients&) = delete;
  SharedClients& operator=(const SharedClients&) = delete;

  template <typename Client, typename Make>
  std::shared_ptr<Client> Get(Make make) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    std::weak_ptr<void>& known = clients_[std::type_index(typeid(Client))];
    if (std::shared_ptr<void> client = known.lock()) {
      return std::static_pointer_cast<Client>(std::move(client));
    }
    std::shared_ptr<Client> made = make();
    known = made;
    return made;
  }

 private:
  Mutex mutex_;
  std::map<std::type_index, std::weak_ptr<void>> clients_ GUARDED_BY(mutex_);
};

}  // namespace spire_exporter

#endif  // EXPORTER_COLLECT_SHARED_CLIENTS_H_
