// Passwords held against bcrypt hashes on a thread of its own: a check takes up to a second, and
// neither the door nor a worker may wait for it.
#ifndef EXPORTER_WEB_PASSWORD_CHECKER_H_
#define EXPORTER_WEB_PASSWORD_CHECKER_H_

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "exporter/base/keyed_hash.h"
#include "exporter/base/mutex.h"
#include "exporter/base/unique_fd.h"

namespace spire_exporter {

// Safe from any thread. Addresses take turns: one that sends wrong passwords without end delays the
// first login of another by one check. Bounded: 8 checks wait for one address, 256 in all.
class PasswordChecker {
 public:
  enum class Answer {
    kRight,
    kWrong,
    kLater,  // the connection is named by TakeReady() when it is known
    kBusy,   // too many checks wait
  };

  PasswordChecker();
  ~PasswordChecker();  // waits for the check that runs
  PasswordChecker(const PasswordChecker&) = delete;
  PasswordChecker& operator=(const PasswordChecker&) = delete;

  // Names and bcrypt hashes. What was remembered of other users is forgotten.
  void SetUsers(const std::map<std::string, std::string>& users) EXCLUDES(mutex_);

  // Costs a look-up. An unknown user takes as long as a wrong password. What has been checked is
  // remembered by two keyed 64-bit hashes (SipHash with keys of this process), the password is not.
  Answer Check(std::string_view peer, std::string_view user, std::string_view password,
               uint64_t connection) EXCLUDES(mutex_);

  int ready_fd() const { return ready_event_.get(); }
  std::vector<uint64_t> TakeReady() EXCLUDES(mutex_);

 private:
  using Key = std::pair<uint64_t, uint64_t>;
  struct KeyHash {
    size_t operator()(const Key& key) const { return static_cast<size_t>(key.first); }
  };
  // What was checked, the oldest forgotten first.
  class Memory {
   public:
    explicit Memory(size_t most) : most_(most) {}
    bool Has(const Key& key) const { return known_.count(key) != 0; }
    void Add(const Key& key);
    void Clear();

   private:
    const size_t most_;
    std::unordered_map<Key, bool, KeyHash> known_;
    std::deque<Key> order_;
  };
  struct Job {
    Key key;
    std::string password;
    std::string hash;
    bool user_known = false;
    std::vector<uint64_t> connections;
  };

  Key KeyOf(std::string_view user, std::string_view password) const REQUIRES(mutex_);
  Job* FindJob(const Key& key) REQUIRES(mutex_);
  bool TakeJob() REQUIRES(mutex_);
  void Run(const std::stop_token& stop);

  const KeyedHash first_, second_;
  UniqueFd ready_event_;
  Mutex mutex_;
  std::condition_variable_any wake_;
  std::map<std::string, std::string, std::less<>> users_ GUARDED_BY(mutex_);
  std::string decoy_ GUARDED_BY(mutex_);  // the hash of an unknown user: the costliest there is
  uint64_t generation_ GUARDED_BY(mutex_) = 0;
  Memory right_ GUARDED_BY(mutex_){128};
  Memory wrong_ GUARDED_BY(mutex_){1024};
  std::map<std::string, std::deque<Job>, std::less<>> waiting_ GUARDED_BY(mutex_);  // by address
  std::deque<std::string> turns_ GUARDED_BY(mutex_);  // addresses that wait, each once
  size_t jobs_ GUARDED_BY(mutex_) = 0;
  std::unique_ptr<Job> running_ GUARDED_BY(mutex_);
  std::vector<uint64_t> ready_ GUARDED_BY(mutex_);
  std::jthread thread_;  // last; from the first users on
};

}  // namespace spire_exporter

#endif  // EXPORTER_WEB_PASSWORD_CHECKER_H_
