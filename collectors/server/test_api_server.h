// For tests: a server's API socket. Apart from its users, as the macros of gRPC and of ours have
// the same names.
#ifndef COLLECTORS_SERVER_TEST_API_SERVER_H_
#define COLLECTORS_SERVER_TEST_API_SERVER_H_

#include <memory>
#include <string>

namespace spire_exporter::server {

enum class ApiMood {
  kWell,           // two X.509 authorities, one for tokens, no WIT method; two relationships
  kNoDatabase,     // the same, not serving
  kDatabaseHangs,  // the same, without an answer whether it serves
  kNoRight,        // denies everything
};

class ApiServer {
 public:
  virtual ~ApiServer() = default;

  // Times that it was asked for WIT authorities.
  virtual int wit_calls() const = 0;

 protected:
  ApiServer() = default;
};

// Throws std::runtime_error.
std::unique_ptr<ApiServer> StartApiServer(const std::string& socket, ApiMood mood);

}  // namespace spire_exporter::server

#endif  // COLLECTORS_SERVER_TEST_API_SERVER_H_
