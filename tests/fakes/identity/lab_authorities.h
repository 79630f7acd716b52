// The authorities of all servers of a lab, in a folder that its servers and agents share: what the
// database and the key managers are to real ones.
#ifndef TESTS_FAKES_IDENTITY_LAB_AUTHORITIES_H_
#define TESTS_FAKES_IDENTITY_LAB_AUTHORITIES_H_

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "exporter/base/result.h"
#include "tests/fakes/identity/authority.h"

namespace spire_exporter::fakes {

// How a server's key manager signs.
struct Signing {
  std::chrono::milliseconds delay{0};
  bool denied = false;
};

// Stateless: every call looks into the folder. Safe from any thread and from several programs.
//   ID.authority   an authority with its keys
//   NAME.active    which one the server NAME signs with; without the file its keys are lost
//   ID.signing     its key manager's mood
//   bundle.pem     the roots of all, for agents to start with and for sidecars
class LabAuthorities {
 public:
  explicit LabAuthorities(std::string folder) : folder_(std::move(folder)) {}

  // Keeps it and puts it into the bundle.
  Status Add(const Authority& authority) const;
  Status Activate(const std::string& server, const Authority& authority) const;
  // kNotFound when the server has none.
  Result<std::shared_ptr<const Authority>> Active(const std::string& server) const;
  Result<std::shared_ptr<const Authority>> ById(const std::string& id) const;
  std::vector<std::shared_ptr<const Authority>> All() const;  // by id
  std::string Jwks() const;
  Status WriteBundle() const;

  Status SetSigning(const std::string& id, const Signing& signing) const;
  Signing SigningOf(const std::string& id) const;

 private:
  std::string Path(const std::string& name) const { return folder_ + '/' + name; }

  const std::string folder_;
};

// The certificates of a PEM file, as DER.
Result<std::vector<std::string>> ReadBundleFile(const std::string& path);

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_IDENTITY_LAB_AUTHORITIES_H_
