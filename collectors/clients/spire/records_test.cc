#include "collectors/clients/spire/records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "collectors/clients/spire/bundle.pb.h"
#include "collectors/clients/spire/journal.pb.h"
#include "collectors/clients/spire/test_records.h"

namespace spire_exporter::spire {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// One line for each authority, so that a whole record is compared at once.
std::string Clock(UnixTime time) {
  const auto of_day = (time - At("00:00:00")).count();
  char text[32];
  std::snprintf(text, sizeof(text), "%02ld:%02ld:%02ld", of_day / 3600, of_day / 60 % 60,
                of_day % 60);
  return text;
}

std::vector<std::string> Lines(const Bundle& bundle) {
  std::vector<std::string> lines;
  for (const BundleAuthority& each : bundle.authorities) {
    lines.push_back(std::string(AuthorityTypeName(each.type)) + " " + each.id + " " +
                    (each.not_before ? Clock(*each.not_before) : "-") + " " +
                    (each.not_after ? Clock(*each.not_after) : "-") +
                    (each.tainted ? " tainted" : ""));
  }
  return lines;
}

std::vector<std::string> Lines(const Journal& journal) {
  std::vector<std::string> lines;
  for (const JournalAuthority& each : journal.authorities) {
    lines.push_back(std::string(AuthorityTypeName(each.type)) + " " +
                    std::string(SlotName(each.slot)) + " " + each.id + " " + Clock(each.issued_at) +
                    " " + Clock(each.not_after) + (each.self_issued ? " self" : "") +
                    (each.chain_end.empty() ? "" : " under " + each.chain_end));
  }
  return lines;
}

TEST(RecordsTest, ReadABundleWithTaintedAuthorities) {
  const Bundle bundle = BundleOf("tainted/bundle");
  EXPECT_EQ(bundle.trust_domain, "example.org");
  EXPECT_EQ(bundle.sequence_number, 7u);
  EXPECT_EQ(bundle.refresh_hint, std::nullopt);
  EXPECT_EQ(bundle.unreadable, 0u);
  EXPECT_THAT(Lines(bundle),
              ElementsAre("x509 1515550ac92ed6ae77a4a43a716ee5ed0054ef69 21:24:46 21:48:56 tainted",
                          "x509 4ba1eab1a624016cb4229f656655b276ea2388b0 21:24:46 21:48:56",
                          "x509 5e465f7b5b0a6c73c26462abe43b40292fa85ceb 21:25:54 21:50:04",
                          "jwt UxT29UAduoamTXTuPpPfvYzCtmOZ7X6p - 21:48:56 tainted",
                          "jwt 0FxGaUpruDlXNbvKpc8TmHa9T7slcaz5 - 21:48:56",
                          "jwt BE2nGDsaGMeBo70QeQ3cdXyHrJgF55a7 - 21:50:04"));
}

TEST(RecordsTest, ReadAJournalWithAllSlots) {
  const Journal journal = JournalOf("natural_rotation/journal_2");
  EXPECT_EQ(journal.unreadable, 0u);
  EXPECT_THAT(
      Lines(journal),
      ElementsAre("x509 old ed52add30c63119c2245384d8c329042e8dd3be8 21:12:14 21:18:14 self",
                  "x509 active 2c77fda330d63e93321bcafec586c08d7ded8457 21:15:14 21:21:14 self",
                  "x509 prepared f8684727778b1aebfde01c9ef64bc4389d5d97c3 21:18:14 21:24:14 self",
                  "jwt old 6TsLQRWVYq3eXO9MFj7f5rHu8NYfI17P 21:12:14 21:18:14",
                  "jwt active hADzdRpgR4LkmoccgjAiHrktaGzxcKlO 21:15:14 21:21:14",
                  "jwt prepared NWpX8IvrpvlLMfTP9EF5Zw9gaJWEupjt 21:18:14 21:24:14"));
}

TEST(RecordsTest, FollowTheChainToTheRootOfAnUpstreamAuthority) {
  const Journal journal = JournalOf("upstream_authority/journal_1");
  EXPECT_THAT(Lines(journal),
              ElementsAre("x509 old 1d400e2a5a001f1358c9ac15e2dce5d2c7b75efe 21:22:27 23:22:27"
                          " under 0e05b928ceca6df3d1506b64af6994e2b6528e89",
                          "x509 active 3b8657a2925d453808aff74a16e918433c57fe6e 21:23:17 23:23:17"
                          " under 4aa1545d17ddb79ec58d709300e371b21aa99fb3",
                          "jwt active uiQnfKkZsG4Zepimg3TfdpLcCkty4YuG 21:22:27 23:22:27"));
  EXPECT_EQ(journal.authorities[1].upstream_id, "4aa1545d17ddb79ec58d709300e371b21aa99fb3");
  EXPECT_THAT(journal.authorities[1].issuers,
              ElementsAre("4aa1545d17ddb79ec58d709300e371b21aa99fb3"));
  EXPECT_EQ(journal.authorities[1].chain_not_after,
            std::nullopt);  // nothing between it and the root
}

TEST(RecordsTest, ReadEveryCapturedRecord) {
  for (const std::string scenario :
       {"tainted", "natural_rotation", "upstream_authority", "after_upgrade"}) {
    const Bundle bundle = BundleOf(scenario + "/bundle");
    EXPECT_FALSE(bundle.authorities.empty());
    EXPECT_EQ(bundle.unreadable, 0u) << scenario;
    for (const std::string row : {"1", "2"}) {
      const Journal journal = JournalOf(scenario + "/journal_" + row);
      EXPECT_FALSE(journal.authorities.empty());
      EXPECT_EQ(journal.unreadable, 0u) << scenario << row;
    }
  }
}

TEST(RecordsTest, TellEqualSubjectsFromOthers) {
  // SPIRE 1.8 gave all its roots one subject; later ones have a serial number in it.
  const Bundle bundle = BundleOf("after_upgrade/bundle");
  EXPECT_EQ(bundle.authorities[0].subject_hash, bundle.authorities[1].subject_hash);
  EXPECT_NE(bundle.authorities[0].subject_hash, bundle.authorities[2].subject_hash);
  EXPECT_NE(bundle.authorities[2].subject_hash, bundle.authorities[3].subject_hash);
}

TEST(RecordsTest, AKeyThatNeverEndsHasNoEnd) {
  wire::BundleRecord record;
  record.set_refresh_hint(300);
  record.add_wit_signing_keys()->set_key_id("w");
  record.add_jwt_signing_keys()->set_key_id("j");
  record.mutable_jwt_signing_keys(0)->set_not_after(std::numeric_limits<int64_t>::max());
  const auto bundle = ReadBundle(record.SerializeAsString());
  ASSERT_TRUE(bundle.ok());
  ASSERT_EQ(bundle->authorities.size(), 2u);
  EXPECT_EQ(bundle->authorities[0].not_after, UnixTime(seconds(253'402'300'799)));
  EXPECT_EQ(bundle->authorities[1].type, AuthorityType::kWit);
  EXPECT_EQ(bundle->authorities[1].not_after, std::nullopt);
  EXPECT_EQ(bundle->refresh_hint, seconds(300));
}

TEST(RecordsTest, OneBrokenAuthorityCostsThatOne) {
  wire::BundleRecord record;
  ASSERT_TRUE(record.ParseFromString(RecordBytes("tainted/bundle")));
  record.mutable_root_cas(1)->mutable_der()->resize(100);
  record.add_jwt_signing_keys();
  const auto bundle = ReadBundle(record.SerializeAsString());
  ASSERT_TRUE(bundle.ok());
  EXPECT_EQ(bundle->unreadable, 2u);
  EXPECT_EQ(bundle->authorities.size(), 5u);

  wire::JournalRecord journal_record;
  ASSERT_TRUE(journal_record.ParseFromString(RecordBytes("tainted/journal_1")));
  journal_record.mutable_x509_cas(0)->set_certificate("x");
  journal_record.mutable_jwt_keys(0)->mutable_key_id()->resize(1000);
  const auto journal = ReadJournal(journal_record.SerializeAsString());
  ASSERT_TRUE(journal.ok());
  EXPECT_EQ(journal->unreadable, 2u);
  EXPECT_EQ(journal->authorities.size(), 2u);
}

TEST(RecordsTest, SeveralCertificatesOfOneEntryAreSeveralAuthorities) {
  wire::BundleRecord record;
  ASSERT_TRUE(record.ParseFromString(RecordBytes("tainted/bundle")));
  record.mutable_root_cas(0)->mutable_der()->append(record.root_cas(1).der());
  const auto bundle = ReadBundle(record.SerializeAsString());
  ASSERT_TRUE(bundle.ok());
  EXPECT_EQ(bundle->authorities.size(), 7u);
  EXPECT_EQ(bundle->authorities[1].id, bundle->authorities[2].id);
  EXPECT_TRUE(bundle->authorities[1].tainted);
}

TEST(RecordsTest, EveryCutOfARecordIsReadOrRefused) {
  const std::string bundle = RecordBytes("upstream_authority/bundle");
  const std::string journal = RecordBytes("upstream_authority/journal_1");
  size_t refused = 0;
  for (size_t size = 0; size < journal.size(); ++size) {
    const auto read = ReadJournal(journal.substr(0, size));
    if (!read.ok()) {
      ++refused;
      EXPECT_EQ(read.error().code, Code::kDataLoss);
    }
    if (size < bundle.size() && !ReadBundle(bundle.substr(0, size)).ok()) ++refused;
  }
  EXPECT_GT(refused, bundle.size());
  EXPECT_TRUE(ReadBundle("").ok());  // an empty message
}

TEST(RecordsTest, MoreThanIsReadIsRefusedBeforeItIsBuilt) {
  EXPECT_EQ(ReadBundle(std::string(kRecordBytesMax + 1, '\0')).error().code,
            Code::kResourceExhausted);
  std::string many;  // empty roots of two bytes each
  for (size_t i = 0; i < kAuthoritiesMax + 2; ++i) many += std::string("\x12\x00", 2);
  EXPECT_EQ(ReadBundle(many).error().code, Code::kResourceExhausted);
  EXPECT_EQ(ReadJournal(many).error().code, Code::kResourceExhausted);
  const auto fits = ReadBundle(many.substr(0, 2 * kAuthoritiesMax));
  ASSERT_TRUE(fits.ok());
  EXPECT_EQ(fits->unreadable, kAuthoritiesMax);
}

TEST(RecordsTest, ALongChainIsNotRead) {
  wire::JournalRecord record;
  ASSERT_TRUE(record.ParseFromString(RecordBytes("upstream_authority/journal_1")));
  auto& entry = *record.mutable_x509_cas(0);
  const size_t unreadable = ReadJournal(record.SerializeAsString())->unreadable;
  while (entry.upstream_chain_size() <= 16) entry.add_upstream_chain(entry.certificate());
  EXPECT_EQ(ReadJournal(record.SerializeAsString())->unreadable, unreadable + 1);
  // Of two bytes each they would take a hundred times that.
  for (int i = 0; i < 1000; ++i) entry.add_upstream_chain("");
  EXPECT_EQ(ReadJournal(record.SerializeAsString()).error().code, Code::kResourceExhausted);
}

TEST(RecordsTest, AShortIdIsEightHexDigits) {
  EXPECT_EQ(ShortId("4BA1eab1a624016cb4229f656655b276ea2388b0"), "4ba1eab1");
  EXPECT_EQ(ShortId("UxT29UAduoamTXTuPpPfvYzCtmOZ7X6p"), "799ff06f");
  EXPECT_EQ(ShortId("abc"), "ba7816bf");  // FIPS 180-2, appendix B.1
  EXPECT_EQ(ShortId(""), "");
}

TEST(RecordsTest, ATrustDomainIsANameOrNothing) {
  EXPECT_EQ(TrustDomainName("spiffe://example.org"), "example.org");
  EXPECT_EQ(TrustDomainName("a_b-c.1"), "a_b-c.1");
  for (const char* wrong : {"", "spiffe://", "spiffe://Example.org", "a/b", "a b", "a\"b", "ä"}) {
    EXPECT_THAT(TrustDomainName(wrong), IsEmpty()) << wrong;
  }
  EXPECT_THAT(TrustDomainName(std::string(256, 'a')), IsEmpty());
}

}  // namespace
}  // namespace spire_exporter::spire
