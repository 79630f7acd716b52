#include "exporter/app/landing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "exporter/app/test_catalog.h"

namespace spire_exporter {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

class LandingTest : public ::testing::Test {
 protected:
  void Start(const std::string& color) {
    const ConfigNode lamps =
        ConfigNode::Map("lamps", "", {{"color", "", ConfigNode::Scalar("lamps.color", "", color)}});
    const std::array<std::string_view, 1> enabled = {"lamps"};
    ASSERT_TRUE(
        collectors_.Apply(ConfigNode::Map("", "", {{"lamps", "", lamps}}), enabled, {}).ok());
    const auto give_up = std::chrono::steady_clock::now() + 10s;
    while (!collectors_.Ready() && std::chrono::steady_clock::now() < give_up) {
      std::this_thread::yield();
    }
    ASSERT_TRUE(collectors_.Ready());
  }
  LandingView Read(bool reload_good = true) {
    return ReadLandingView(kTestCatalog, collectors_, ReloadState{reload_good, 0},
                           Deadline::After(clock_, 1s));
  }
  HttpResponse Page(bool reload_good = true) {
    return LandingPage(facts_, Read(reload_good), clock_);
  }

  ManualClock clock_;
  NullLogger logger_;
  CollectorSet collectors_{kTestCatalog, ModuleDeps{clock_, logger_, Role::kServer}};
  ProcessFacts facts_{Role::kServer, "example.org", "/metrics", clock_.System()};
};

TEST_F(LandingTest, SaysWhatTheProcessIsAndSees) {
  Start("red");
  const HttpResponse page = Page();
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(*page.body, HasSubstr("beside a SPIRE server of example.org"));
  EXPECT_THAT(*page.body, HasSubstr("It sees all of 1 source."));
  EXPECT_THAT(*page.body, HasSubstr("/metrics?collect[]=lamps\">1 series</a> in 1 of 1 families"));
  EXPECT_THAT(*page.body, Not(HasSubstr("What it lacks")));
}

TEST_F(LandingTest, SaysWhatFailsAndWhichFamiliesAreAbsentForIt) {
  Start("broken");
  EXPECT_EQ(Read().sources.at(0).state, LandingView::State::kFailing);
  const HttpResponse page = Page();
  EXPECT_THAT(*page.body, HasSubstr("1 of 1 source fails."));
  EXPECT_THAT(*page.body, HasSubstr("1 of 1 families of <b>lamps</b> have no series now"));
  EXPECT_THAT(*page.body, HasSubstr("<code>spire_fake_lamps</code> Lamps by colour."));
}

TEST_F(LandingTest, SaysWhatIsSwitchedOffAndHowToSwitchItOn) {
  const HttpResponse page = Page();
  EXPECT_THAT(*page.body, HasSubstr("It watches nothing"));
  EXPECT_THAT(*page.body, HasSubstr("<code>--collector.lamps</code> switches it on"));
}

TEST_F(LandingTest, SaysThatTheLastReloadFailed) {
  Start("red");
  EXPECT_THAT(*Page(false).body, HasSubstr("the last reload failed"));
  EXPECT_THAT(*Page(true).body, Not(HasSubstr("the last reload failed")));
}

TEST_F(LandingTest, EscapesWhatPeersSaid) {
  Start("broken");
  facts_.trust_domain = "<td>";
  const HttpResponse page = Page();
  EXPECT_THAT(*page.body, HasSubstr("lamps: &lt;no&gt; &quot;light&quot;"));
  EXPECT_THAT(*page.body, HasSubstr("&lt;td&gt;, up"));
  EXPECT_THAT(*page.body, Not(HasSubstr("<no>")));
}

TEST_F(LandingTest, LoadsNothingFromAnywhere) {
  Start("red");
  const HttpResponse page = Page();
  EXPECT_EQ(page.headers.at(0).first, "Content-Security-Policy");
  EXPECT_THAT(page.headers.at(0).second, HasSubstr("default-src 'none'"));
  for (const char* const outside : {"src=", "http:", "https:", "url(", "<script", "<link"}) {
    EXPECT_THAT(*page.body, Not(HasSubstr(outside))) << outside;
  }
}

}  // namespace
}  // namespace spire_exporter
