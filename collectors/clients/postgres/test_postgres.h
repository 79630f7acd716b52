// A real PostgreSQL for tests: clusters of their own in temporary folders, gone with the object.
#ifndef COLLECTORS_CLIENTS_POSTGRES_TEST_POSTGRES_H_
#define COLLECTORS_CLIENTS_POSTGRES_TEST_POSTGRES_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "exporter/base/clock.h"
#include "exporter/base/result.h"

namespace spire_exporter::pg {

// The newest PostgreSQL that Debian has installed, or the folder of programs in PG_BIN_DIR. Root is
// refused by PostgreSQL, so that it runs as the user `postgres` or `nobody` then. Everybody on the
// loopback is trusted; the superuser is `postgres`, the database `test`. Not safe from several
// threads.
class TestPostgres {
 public:
  // Lines for postgresql.conf besides what a test needs anyway.
  static Result<std::unique_ptr<TestPostgres>> Start(const std::string& settings = "");
  // A standby that streams from `primary` (or from another standby) through a physical slot of the
  // name `slot`, made here; with `via_port` it connects to that port instead, where a proxy stands.
  static Result<std::unique_ptr<TestPostgres>> MakeStandby(TestPostgres& primary,
                                                           const std::string& slot,
                                                           const std::string& settings = "",
                                                           uint16_t via_port = 0);
  ~TestPostgres();
  TestPostgres(const TestPostgres&) = delete;
  TestPostgres& operator=(const TestPostgres&) = delete;

  uint16_t port() const { return port_; }
  int major() const { return major_; }
  const std::string& directory() const { return directory_; }
  // For a connection file, without TLS.
  std::string conninfo(const std::string& user = "postgres") const;
  // Writes a connection file beside the cluster and gives its path.
  std::string ConninfoFile(const std::string& user = "postgres") const;

  // Runs statements as the superuser by psql and gives what they print, without the last line feed.
  // Several statements are one transaction each.
  Result<std::string> Sql(const std::string& statements, const std::string& user = "postgres");

  Status Stop();    // at once, as after a power failure of the clients
  Status Resume();  // starts it again
  Status Promote();
  // SIGSTOP and SIGCONT to the server and all its backends.
  void Freeze();
  void Thaw();

 private:
  TestPostgres() = default;
  Status MakeDirectory();
  Status Run();
  Status Tool(const std::string& program, const std::string& arguments, std::string* output);

  std::string bin_;
  std::string directory_;
  int major_ = 0;
  uint16_t port_ = 0;
  pid_t pid_ = 0;
};

}  // namespace spire_exporter::pg

#endif  // COLLECTORS_CLIENTS_POSTGRES_TEST_POSTGRES_H_
