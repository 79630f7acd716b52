// The names of several servers, of which one hangs.
#include <gtest/gtest.h>

#include "collectors/clients/net/test_names.h"
#include "collectors/svid/reach_collector.h"

namespace spire_exporter::svid {
namespace {

using std::chrono::milliseconds;

TEST(ReachNamesTest, OneThatHangsHidesNoOther) {
  const RealClock clock;
  TestNames names;
  names.Hang("a.test");
  names.Answer("b.test", "127.0.0.1");
  const ResolveServers resolve = MakeResolveServers("a.test:8081,b.test:8081");
  for (int i = 0; i < 2; ++i) {
    const auto found = resolve(Waiter(Deadline::After(clock, milliseconds(1000)), clock, {}));
    ASSERT_TRUE(found.ok()) << found.error().ToString();
    EXPECT_EQ(found->size(), 1U);
  }
}

}  // namespace
}  // namespace spire_exporter::svid
