// SPIRE's database in a real PostgreSQL, for tests.
#ifndef COLLECTORS_DATASTORE_SPIRE_DATABASE_H_
#define COLLECTORS_DATASTORE_SPIRE_DATABASE_H_

#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "collectors/clients/postgres/test_postgres.h"

namespace spire_exporter::datastore {

// One server for all tests of a suite, with a role `spire` and a database of its own for each test.
class SpireDatabaseTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto server = pg::TestPostgres::Start();
    ASSERT_TRUE(server.ok()) << server.error().ToString();
    server_ = std::move(*server);
    ASSERT_TRUE(server_->Sql("CREATE ROLE spire LOGIN").ok());
  }
  static void TearDownTestSuite() { server_.reset(); }

  // SPIRE's tables of that version, owned by `spire`.
  void MakeDatabase(const std::string& name, int schema_version) {
    database_ = name;
    ASSERT_TRUE(server_->Sql("CREATE DATABASE " + name + " OWNER spire").ok());
    const std::string path =
        std::string(HOUSE_TESTDATA) + "/spire_schema_" + std::to_string(schema_version) + ".sql";
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    ASSERT_FALSE(text.str().empty()) << path;
    ASSERT_EQ(Failure(text.str(), "spire"), "");
  }

  Result<std::string> Sql(const std::string& statements, const std::string& user = "postgres") {
    return server_->Sql("\\connect \"" + database_ + "\"\n" + statements, user);
  }
  // What psql prints when the statements fail; empty when they do not.
  std::string Failure(const std::string& statements, const std::string& user = "postgres") {
    const Result<std::string> ran = Sql(statements, user);
    return ran.ok() ? "" : ran.error().what;
  }
  // What the statements print, an error as text.
  std::string Answer(const std::string& statements, const std::string& user = "postgres") {
    const Result<std::string> ran = Sql(statements, user);
    return ran.ok() ? *ran : ran.error().what;
  }

  static std::unique_ptr<pg::TestPostgres> server_;
  std::string database_;
};
inline std::unique_ptr<pg::TestPostgres> SpireDatabaseTest::server_;

}  // namespace spire_exporter::datastore

#endif  // COLLECTORS_DATASTORE_SPIRE_DATABASE_H_
