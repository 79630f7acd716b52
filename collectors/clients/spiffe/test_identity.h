// For tests: authorities, X.509-SVIDs, JWT-SVIDs and JWKS with true cryptography, good and bad.
#ifndef COLLECTORS_CLIENTS_SPIFFE_TEST_IDENTITY_H_
#define COLLECTORS_CLIENTS_SPIFFE_TEST_IDENTITY_H_

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace spire_exporter::spiffe {

struct TestIssued {
  std::string der;  // the certificate
  std::string key;  // PKCS #8
};

struct TestCertificateOptions {
  std::string common_name = "SPIRE";
  std::vector<std::string> uris;
  std::vector<std::string> dns_names;
  bool ca = false;
  std::chrono::sys_seconds not_before{std::chrono::seconds(1'800'000'000)};
  std::chrono::sys_seconds not_after{std::chrono::seconds(1'800'003'600)};
  // As OpenSSL's configuration has it; empty for none, absent for what SPIRE gives.
  std::optional<std::string> key_usage;
  bool key_ids = true;           // subject and authority key id
  std::string unknown_critical;  // an object id whose extension nobody knows
  unsigned serial = 1;
  const TestIssued* key = nullptr;  // whose key is certified; absent for a new one
};

// Signed by `issuer`, or by itself. Throws std::runtime_error when OpenSSL refuses.
TestIssued IssueTestCertificate(const TestCertificateOptions& options,
                                const TestIssued* issuer = nullptr);

std::string CertificatePem(std::string_view der);
std::string PrivateKeyPem(std::string_view pkcs8);

struct TestJwtKey {
  std::string id;         // `kid`
  std::string algorithm;  // `RS256` to `ES512`
  std::string key;        // PKCS #8
};
TestJwtKey MakeTestJwtKey(const std::string& id, const std::string& algorithm);

// A token with SPIRE's header for that key, whatever `payload` (JSON) says.
std::string SignTestJwt(const TestJwtKey& key, std::string_view payload);
// The same with a header (JSON) of your own; signed as `key` does.
std::string SignTestJwt(const TestJwtKey& key, std::string_view header, std::string_view payload);

// `use` is left out when it is empty, as an agent leaves it out.
std::string TestJwks(const std::vector<TestJwtKey>& keys, const std::string& use = "");

std::string EncodeBase64Url(std::string_view bytes);

}  // namespace spire_exporter::spiffe

#endif  // COLLECTORS_CLIENTS_SPIFFE_TEST_IDENTITY_H_
