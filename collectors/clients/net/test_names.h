// For tests: the names that getaddrinfo(3) knows in this process.
#ifndef COLLECTORS_CLIENTS_NET_TEST_NAMES_H_
#define COLLECTORS_CLIENTS_NET_TEST_NAMES_H_

#include <cstddef>
#include <string>

namespace spire_exporter {

// One at a time. Whoever links it asks no other resolver; addresses are understood all the same.
class TestNames {
 public:
  TestNames();
  ~TestNames();  // who is kept waiting is told that there is no such name
  TestNames(const TestNames&) = delete;
  TestNames& operator=(const TestNames&) = delete;

  // From now on; who was kept waiting gets it too.
  void Answer(const std::string& name, const std::string& address);
  // Questions for it are kept waiting.
  void Hang(const std::string& name);
};

// Threads of this process that look names up; a sanitizer has others of its own.
size_t CountResolvers();

}  // namespace spire_exporter

#endif  // COLLECTORS_CLIENTS_NET_TEST_NAMES_H_
