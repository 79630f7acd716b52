#include "tests/fakes/keymanager/lab_keys.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <charconv>
#include <chrono>
#include <condition_variable>
#include <fstream>
#include <iterator>
#include <map>
#include <utility>

#include "exporter/base/mutex.h"
#include "exporter/base/text.h"

namespace spire_exporter::fakes {
namespace {

constexpr double kLongest = 3600;  // seconds

Error Failed(std::string what) {
  return Error{Code::kInternal, std::move(what), {}};
}

Error Unknown(const std::string& id) {
  return Error{Code::kNotFound, "no such key " + Quoted(id), {}};
}

std::string Hex(std::string_view bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    text += kDigits[value >> 4U];
    text += kDigits[value & 15U];
  }
  return text;
}

struct Key {
  LabPublicKey shown;
  std::shared_ptr<EVP_PKEY> secret;
};

}  // namespace

// Apart from the header: gRPC has macros of the same names as our annotations.
struct LabKeys::State {
  explicit State(std::string file) : mood_file(std::move(file)) {}
  Status WaitAsTold();

  const std::string mood_file;
  Mutex mutex;
  std::condition_variable_any stopped;
  std::map<std::string, Key> keys GUARDED_BY(mutex);
  bool stop GUARDED_BY(mutex) = false;
};

LabKeys::LabKeys(std::string mood_file) : state_(std::make_unique<State>(std::move(mood_file))) {}

LabKeys::~LabKeys() = default;

Result<KeyMood> ParseKeyMood(std::string_view text) {
  const std::string_view word = Trim(text);
  if (word == "well" || word.empty()) return KeyMood{};
  if (word == "denied") return KeyMood{.delay = {}, .denied = true};
  double seconds = 0;
  const auto parsed = std::from_chars(word.data(), word.data() + word.size(), seconds);
  if (parsed.ec != std::errc() || parsed.ptr != word.data() + word.size() ||
      !(seconds >= 0 && seconds <= kLongest)) {
    return Error{
        Code::kInvalidArgument, Quoted(word) + ": expected well, denied or seconds to 3600", {}};
  }
  return KeyMood{.delay = std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000))};
}

Result<LabPublicKey> LabKeys::Generate(const std::string& id, Curve curve) {
  Key key;
  key.secret.reset(EVP_EC_gen(curve == Curve::kP256 ? "P-256" : "P-384"), EVP_PKEY_free);
  if (key.secret == nullptr) return Failed("no key can be made");
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key.secret.get(), &der);
  if (size <= 0) return Failed("a public key cannot be encoded");
  const std::unique_ptr<unsigned char, void (*)(unsigned char*)> held(
      der, [](unsigned char* bytes) { OPENSSL_free(bytes); });
  key.shown = {id, curve, std::string(der, der + size), {}};
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned digest_size = 0;
  if (EVP_Digest(der, static_cast<size_t>(size), digest, &digest_size, EVP_sha256(), nullptr) !=
      1) {
    return Failed("a public key cannot be digested");
  }
  key.shown.fingerprint = Hex(std::string(digest, digest + digest_size));
  LabPublicKey shown = key.shown;
  const MutexLock lock(state_->mutex);
  state_->keys[id] = std::move(key);
  return shown;
}

Result<LabPublicKey> LabKeys::Public(const std::string& id) const {
  const MutexLock lock(state_->mutex);
  const auto found = state_->keys.find(id);
  if (found == state_->keys.end()) return Unknown(id);
  return found->second.shown;
}

std::vector<LabPublicKey> LabKeys::All() const {
  const MutexLock lock(state_->mutex);
  std::vector<LabPublicKey> all;
  for (const auto& [id, key] : state_->keys) all.push_back(key.shown);
  return all;
}

Status LabKeys::State::WaitAsTold() {
  std::ifstream file(mood_file);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const Result<KeyMood> mood = ParseKeyMood(text);
  if (!mood.ok()) return mood.error();
  std::unique_lock<Mutex> lock(mutex);
  stopped.wait_for(lock, mood.value().delay, [this]() NO_THREAD_SAFETY_ANALYSIS { return stop; });
  if (stop) return Error{Code::kCancelled, "the key manager ends", {}};
  if (mood.value().denied) return Error{Code::kPermissionDenied, "the key manager refuses", {}};
  return {};
}

Result<LabSignature> LabKeys::Sign(const std::string& id, std::string_view digest) const {
  const Status told = state_->WaitAsTold();
  if (!told.ok()) return told.error();
  Key key;
  {
    const MutexLock lock(state_->mutex);
    const auto found = state_->keys.find(id);
    if (found == state_->keys.end()) return Unknown(id);
    key = found->second;
  }
  const std::unique_ptr<EVP_PKEY_CTX, void (*)(EVP_PKEY_CTX*)> signer(
      EVP_PKEY_CTX_new(key.secret.get(), nullptr), EVP_PKEY_CTX_free);
  const auto* bytes = reinterpret_cast<const unsigned char*>(digest.data());
  size_t size = 0;
  if (signer == nullptr || EVP_PKEY_sign_init(signer.get()) != 1 ||
      EVP_PKEY_sign(signer.get(), nullptr, &size, bytes, digest.size()) != 1) {
    return Failed("cannot sign");
  }
  std::vector<unsigned char> signature(size);
  if (EVP_PKEY_sign(signer.get(), signature.data(), &size, bytes, digest.size()) != 1) {
    return Failed("cannot sign");
  }
  return LabSignature{std::string(signature.begin(), signature.begin() + static_cast<long>(size)),
                      key.shown.fingerprint};
}

void LabKeys::Stop() {
  {
    const MutexLock lock(state_->mutex);
    state_->stop = true;
  }
  state_->stopped.notify_all();
}

}  // namespace spire_exporter::fakes
