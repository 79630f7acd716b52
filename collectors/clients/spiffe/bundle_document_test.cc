#include "collectors/clients/spiffe/bundle_document.h"

#include <gtest/gtest.h>

#include "collectors/clients/spiffe/test_identity.h"

namespace spire_exporter::spiffe {
namespace {

std::string Root(unsigned serial) {
  TestCertificateOptions options;
  options.uris = {"spiffe://example.org"};
  options.ca = true;
  options.serial = serial;
  return IssueTestCertificate(options).der;
}

// As SPIFFE's JSON has it: base64 with padding, without line ends.
std::string X5c(const std::string& der) {
  std::string text = EncodeBase64Url(der);
  for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
  while (text.size() % 4 != 0) text += '=';
  return R"({"use":"x509-svid","kty":"EC","x5c":[")" + text + R"("]})";
}

TEST(BundleDocumentTest, ReadsPem) {
  const std::string a = Root(1), b = Root(2);
  const auto read =
      ReadBundleDocument("# old\n" + CertificatePem(a) + "# new\r\n" + CertificatePem(b));
  ASSERT_TRUE(read.ok()) << read.error().ToString();
  EXPECT_EQ(read->certificates, (std::vector{a, b}));
  EXPECT_TRUE(read->key_ids.empty());
}

TEST(BundleDocumentTest, ReadsTheJsonOfSpiffe) {
  const std::string a = Root(1), b = Root(2);
  const auto read = ReadBundleDocument(
      "\n{\"keys\":[" + X5c(a) + "," + X5c(b) +
      R"(,{"use":"jwt-svid","kty":"EC","kid":"k1"},{"use":"new-svid"}],"spiffe_sequence":3})");
  ASSERT_TRUE(read.ok()) << read.error().ToString();
  EXPECT_EQ(read->certificates, (std::vector{a, b}));
  EXPECT_EQ(read->key_ids, (std::vector<std::string>{"k1"}));
}

TEST(BundleDocumentTest, TakesKeysWithoutAUseAsThoseOfTokens) {
  const auto read = ReadBundleDocument(R"({"keys":[{"kty":"EC","kid":"a"},{"kid":"b"}]})");
  ASSERT_TRUE(read.ok()) << read.error().ToString();
  EXPECT_EQ(read->key_ids, (std::vector<std::string>{"a", "b"}));
}

TEST(BundleDocumentTest, RefusesWhatIsNoBundle) {
  const std::string pem = CertificatePem(Root(1));
  for (const std::string& text :
       {std::string(), std::string("hello"), std::string("{"), std::string("{}"),
        std::string(R"({"keys":[]})"), std::string(R"({"keys":[{"use":"x509-svid"}]})"),
        std::string(R"({"keys":[{"use":"x509-svid","x5c":["AAAA"]}]})"),
        std::string(R"({"keys":[{"use":"x509-svid","x5c":[1]}]})"),
        std::string(R"({"keys":[{"use":"jwt-svid"}]})"), std::string(R"({"keys":[3]})"),
        std::string(R"({"keys":)") + std::string(100'000, '['), pem.substr(0, pem.size() / 2),
        std::string("-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----\n")}) {
    const auto read = ReadBundleDocument(text);
    ASSERT_FALSE(read.ok()) << text.substr(0, 80);
    EXPECT_EQ(read.error().code, Code::kDataLoss) << text.substr(0, 80);
  }
}

TEST(BundleDocumentTest, RefusesTooMuch) {
  EXPECT_EQ(ReadBundleDocument(std::string(kBundleDocumentBytesMax + 1, 'x')).error().code,
            Code::kResourceExhausted);
  std::string keys;
  for (int i = 0; i < 1001; ++i) keys += (i == 0 ? "" : ",") + std::string(R"({"kid":"a"})");
  EXPECT_EQ(ReadBundleDocument("{\"keys\":[" + keys + "]}").error().code, Code::kResourceExhausted);
}

}  // namespace
}  // namespace spire_exporter::spiffe
