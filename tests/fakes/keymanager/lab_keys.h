// Keys of a SPIRE server that sign slowly, or not at all, when a file says so.
#ifndef TESTS_FAKES_KEYMANAGER_LAB_KEYS_H_
#define TESTS_FAKES_KEYMANAGER_LAB_KEYS_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/base/clock.h"
#include "exporter/base/result.h"

namespace spire_exporter::fakes {

// How keys sign.
struct KeyMood {
  Duration delay{0};
  bool denied = false;
};

// `well`, `denied` or seconds up to an hour, white space around it aside.
Result<KeyMood> ParseKeyMood(std::string_view text);

enum class Curve { kP256, kP384 };

struct LabPublicKey {
  std::string id;
  Curve curve = Curve::kP256;
  std::string pkix;  // DER
  std::string fingerprint;
};

struct LabSignature {
  std::string signature;  // ECDSA, DER
  std::string fingerprint;
};

// Keys in memory: they end with the process. Safe from any thread.
class LabKeys {
 public:
  // `mood_file` is read for every signature; without the file all is well.
  explicit LabKeys(std::string mood_file);
  ~LabKeys();

  // A new key in place of the one of that id. Never slow, never denied.
  Result<LabPublicKey> Generate(const std::string& id, Curve curve);
  Result<LabPublicKey> Public(const std::string& id) const;  // kNotFound
  std::vector<LabPublicKey> All() const;                     // by id
  // Blocks for as long as the mood has it. kNotFound, kPermissionDenied when denied,
  // kInvalidArgument for a mood that cannot be read.
  Result<LabSignature> Sign(const std::string& id, std::string_view digest) const;
  // Ends all waits; every later signature is kCancelled.
  void Stop();

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_KEYMANAGER_LAB_KEYS_H_
