#include "exporter/base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>

namespace spire_exporter {
namespace {

TEST(ResultTest, HoldsAMoveOnlyValue) {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(7));
  ASSERT_TRUE(result.ok());
  const std::unique_ptr<int> taken = std::move(result).value();
  EXPECT_EQ(*taken, 7);
}

TEST(ResultTest, ErrorNamesItsPlaceFirst) {
  const Status status = Error{Code::kInvalidArgument, "unknown key", "a.yaml:3:7", false};
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().ToString(), "a.yaml:3:7: unknown key");
}

TEST(ResultTest, EveryCodeHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (int code = 0; code <= 16; ++code) names.insert(CodeName(static_cast<Code>(code)));
  EXPECT_EQ(names.size(), 17u);
}

}  // namespace
}  // namespace spire_exporter
