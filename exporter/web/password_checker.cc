#include "exporter/web/password_checker.h"

#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "exporter/base/thread.h"
#include "exporter/web/credentials.h"

namespace spire_exporter {
namespace {

constexpr size_t kJobsMax = 256;
constexpr size_t kJobsOfOneMax = 8;
constexpr int kNice = 15;

void Forget(std::string* secret) {
  explicit_bzero(secret->data(), secret->size());
  secret->clear();
}

}  // namespace

void PasswordChecker::Memory::Add(const Key& key) {
  if (!known_.emplace(key, true).second) return;
  order_.push_back(key);
  if (order_.size() <= most_) return;
  known_.erase(order_.front());
  order_.pop_front();
}

void PasswordChecker::Memory::Clear() {
  known_.clear();
  order_.clear();
}

PasswordChecker::PasswordChecker() : ready_event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

PasswordChecker::~PasswordChecker() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
}

void PasswordChecker::SetUsers(const std::map<std::string, std::string>& users) {
  const MutexLock lock(mutex_);
  std::map<std::string, std::string, std::less<>> next(users.begin(), users.end());
  if (next == users_) return;
  users_ = std::move(next);
  ++generation_;  // what runs now is remembered under a key that nobody asks for any more
  right_.Clear();
  wrong_.Clear();
  decoy_.clear();
  for (const auto& [user, hash] : users_) {
    if (decoy_.empty() || hash.substr(4, 2) > decoy_.substr(4, 2)) decoy_ = hash;
  }
  if (!users_.empty() && !thread_.joinable()) {
    thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
  }
}

PasswordChecker::Key PasswordChecker::KeyOf(std::string_view user,
                                            std::string_view password) const {
  // The length parts what would read the same together.
  std::string text = std::to_string(generation_) + ":" + std::to_string(user.size()) + ":";
  text.append(user).append(password);
  const Key key{first_(text), second_(text)};
  Forget(&text);
  return key;
}

PasswordChecker::Job* PasswordChecker::FindJob(const Key& key) {
  if (running_ != nullptr && running_->key == key) return running_.get();
  for (auto& [peer, jobs] : waiting_) {
    for (Job& job : jobs) {
      if (job.key == key) return &job;
    }
  }
  return nullptr;
}

PasswordChecker::Answer PasswordChecker::Check(std::string_view peer, std::string_view user,
                                               std::string_view password, uint64_t connection) {
  const MutexLock lock(mutex_);
  if (users_.empty()) return Answer::kWrong;
  const Key key = KeyOf(user, password);
  if (right_.Has(key)) return Answer::kRight;
  if (wrong_.Has(key)) return Answer::kWrong;
  if (Job* const job = FindJob(key); job != nullptr) {
    job->connections.push_back(connection);
    return Answer::kLater;
  }
  const auto found = waiting_.find(peer);
  const size_t of_peer = found == waiting_.end() ? 0 : found->second.size();
  if (jobs_ >= kJobsMax || of_peer >= kJobsOfOneMax) return Answer::kBusy;
  const auto known = users_.find(user);
  std::deque<Job>& jobs = waiting_[std::string(peer)];
  if (jobs.empty()) turns_.emplace_back(peer);
  jobs.push_back(Job{key,
                     std::string(password),
                     known == users_.end() ? decoy_ : known->second,
                     known != users_.end(),
                     {connection}});
  ++jobs_;
  wake_.notify_one();
  return Answer::kLater;
}

std::vector<uint64_t> PasswordChecker::TakeReady() {
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = read(ready_event_.get(), &count, sizeof(count));
  const MutexLock lock(mutex_);
  return std::exchange(ready_, {});
}

// The next one in turn becomes the one that runs.
bool PasswordChecker::TakeJob() {
  if (turns_.empty()) return false;
  const std::string peer = std::move(turns_.front());
  turns_.pop_front();
  std::deque<Job>& jobs = waiting_[peer];
  running_ = std::make_unique<Job>(std::move(jobs.front()));
  jobs.pop_front();
  --jobs_;
  if (jobs.empty()) {
    waiting_.erase(peer);
  } else {
    turns_.push_back(peer);
  }
  return true;
}

void PasswordChecker::Run(const std::stop_token& stop) {
  NameThisThread("password-check");
  // It can keep a core busy for as long as somebody guesses: scrapes go first. Of this thread
  // alone.
  setpriority(PRIO_PROCESS, 0, kNice);
  for (;;) {
    std::string password;
    std::string hash;
    bool user_known = false;
    {
      const MutexLock lock(mutex_);
      const bool due =
          wake_.wait(mutex_, stop, [this]() REQUIRES(mutex_) { return !turns_.empty(); });
      if (!due || !TakeJob()) return;
      password = std::exchange(running_->password, {});
      hash = running_->hash;
      user_known = running_->user_known;
    }
    const bool right = PasswordFits(password, hash) && user_known;
    Forget(&password);
    {
      const MutexLock lock(mutex_);
      (right ? right_ : wrong_).Add(running_->key);
      ready_.insert(ready_.end(), running_->connections.begin(), running_->connections.end());
      running_.reset();
    }
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t wrote = write(ready_event_.get(), &one, sizeof(one));
    if (stop.stop_requested()) return;
  }
}

}  // namespace spire_exporter
