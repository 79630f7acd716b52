#include "exporter/collect/shared_clients.h"

#include <gtest/gtest.h>

#include <string>

namespace spire_exporter {
namespace {

TEST(SharedClientsTest, OneObjectATypeForAsLongAsSomebodyHasIt) {
  SharedClients clients;
  int made = 0;
  const auto make = [&made] {
    ++made;
    return std::make_shared<int>(made);
  };
  std::shared_ptr<int> first = clients.Get<int>(make);
  std::shared_ptr<int> second = clients.Get<int>(make);
  EXPECT_EQ(first, second);
  EXPECT_EQ(made, 1);
  EXPECT_EQ(*clients.Get<std::string>([] { return std::make_shared<std::string>("s"); }), "s");

  first.reset();
  EXPECT_EQ(*clients.Get<int>(make), 1) << "the second still has it";
  second.reset();
  EXPECT_EQ(*clients.Get<int>(make), 2);
}

}  // namespace
}  // namespace spire_exporter
