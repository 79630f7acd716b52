#include "collectors/clients/spiffe/bundle_document.h"

#include <openssl/evp.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "collectors/clients/spiffe/x509_svid.h"

namespace spire_exporter::spiffe {
namespace {

using Json = nlohmann::json;

constexpr size_t kAuthoritiesMax = 1000;
constexpr int kBundleDepthMax = 16;
constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view kEnd = "-----END CERTIFICATE-----";

Error NoBundle(std::string what) {
  return {Code::kDataLoss, "bundle: " + std::move(what), "", false};
}

// RFC 4648, section 4, with white space anywhere; nothing for what is not that.
std::optional<std::string> DecodeBase64(std::string_view text) {
  std::string packed;
  for (const char c : text) {
    if (c != '\n' && c != '\r' && c != ' ' && c != '\t') packed += c;
  }
  if (packed.empty() || packed.size() % 4 != 0) return std::nullopt;
  std::string bytes(packed.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                   reinterpret_cast<const unsigned char*>(packed.data()),
                                   static_cast<int>(packed.size()));
  if (size < 0) return std::nullopt;
  // OpenSSL counts what the padding stands for.
  const size_t padding = packed.ends_with("==") ? 2 : packed.ends_with('=') ? 1 : 0;
  bytes.resize(static_cast<size_t>(size) - padding);
  return bytes;
}

// One certificate, and nothing after it.
Status AddCertificate(std::string_view base64, BundleDocument* document) {
  if (document->certificates.size() + document->key_ids.size() >= kAuthoritiesMax) {
    return Error{Code::kResourceExhausted, "bundle: more than 1000 authorities", "", false};
  }
  auto der = DecodeBase64(base64);
  if (!der) return NoBundle("a certificate that is no base64");
  const auto split = SplitCertificates(*der);
  if (!split.ok() || split->size() != 1) return NoBundle("bytes that are no certificate");
  document->certificates.push_back(std::move(*der));
  return {};
}

Result<BundleDocument> ReadPem(std::string_view text) {
  BundleDocument document;
  for (size_t at = text.find(kBegin); at != std::string_view::npos; at = text.find(kBegin)) {
    text.remove_prefix(at + kBegin.size());
    const size_t end = text.find(kEnd);
    if (end == std::string_view::npos) return NoBundle("a certificate without an end");
    if (Status status = AddCertificate(text.substr(0, end), &document); !status.ok()) {
      return status.error();
    }
    text.remove_prefix(end + kEnd.size());
  }
  if (document.certificates.empty()) return NoBundle("no certificate in it");
  return document;
}

std::string_view TextView(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return {};
  return found->get_ref<const std::string&>();
}

Status AddKey(const Json& key, BundleDocument* document) {
  if (!key.is_object()) return NoBundle("a key that is no object");
  const std::string_view use = TextView(key, "use");
  if (use == "x509-svid") {
    const auto chain = key.find("x5c");
    // Exactly one certificate (section 4.2.2).
    if (chain == key.end() || !chain->is_array() || chain->size() != 1 ||
        !chain->front().is_string()) {
      return NoBundle("an X.509 authority without its certificate");
    }
    return AddCertificate(chain->front().get_ref<const std::string&>(), document);
  }
  if (!use.empty() && use != "jwt-svid") return {};  // to be passed over (section 4.2.2)
  if (document->certificates.size() + document->key_ids.size() >= kAuthoritiesMax) {
    return Error{Code::kResourceExhausted, "bundle: more than 1000 authorities", "", false};
  }
  const std::string_view id = TextView(key, "kid");
  if (id.empty()) return NoBundle("a key without an id");
  document->key_ids.emplace_back(id);
  return {};
}

Result<BundleDocument> ReadJson(std::string_view text) {
  bool deep = false;
  const Json json = Json::parse(
      text.begin(), text.end(),
      [&deep](int depth, Json::parse_event_t, Json&) {
        deep = deep || depth > kBundleDepthMax;
        return !deep;
      },
      false);
  if (deep || !json.is_object()) return NoBundle("no JSON of SPIFFE");
  const auto keys = json.find("keys");
  if (keys == json.end() || !keys->is_array()) return NoBundle("no keys in it");
  BundleDocument document;
  for (const Json& key : *keys) {
    if (Status status = AddKey(key, &document); !status.ok()) return status.error();
  }
  if (document.certificates.empty() && document.key_ids.empty()) {
    return NoBundle("no authority in it");
  }
  return document;
}

}  // namespace

Result<BundleDocument> ReadBundleDocument(std::string_view text) {
  if (text.size() > kBundleDocumentBytesMax) {
    return Error{Code::kResourceExhausted, "bundle: more than 512 KiB", "", false};
  }
  const size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{' ? ReadJson(text) : ReadPem(text);
}

}  // namespace spire_exporter::spiffe
