#include "tests/fakes/identity/authority.h"

#include <algorithm>
#include <charconv>
#include <random>

#include "collectors/clients/spiffe/x509_svid.h"
#include "exporter/base/text.h"
#include "tests/fakes/identity/record.h"

namespace spire_exporter::fakes {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

std::string RandomHex(size_t digits) {
  std::random_device device;
  std::string out;
  while (out.size() < digits) out += "0123456789abcdef"[device() % 16];
  return out;
}

std::string Seconds10(sys_seconds time) {
  return std::to_string(time.time_since_epoch().count());
}

// The id of the issuer, as a certificate below it names it.
std::string IdOf(const spiffe::TestIssued& ca) {
  spiffe::TestCertificateOptions options;
  const spiffe::TestIssued below = spiffe::IssueTestCertificate(options, &ca);
  const Result<spiffe::LeafFacts> facts = spiffe::ReadLeaf(below.der);
  return facts.ok() ? facts.value().authority_key_id : std::string();
}

}  // namespace

Authority::Authority(const AuthorityOptions& options, const Authority* upstream)
    : trust_domain_(options.trust_domain), not_after_(options.now + options.ttl) {
  if (upstream != nullptr) not_after_ = std::min(not_after_, upstream->not_after_);
  spiffe::TestCertificateOptions ca;
  // Two authorities of one name could not be told apart by those that go by names.
  ca.common_name = "SPIFFE " + RandomHex(16);
  ca.uris = {"spiffe://" + trust_domain_};
  ca.ca = true;
  ca.not_before = options.now - kBackdate;
  ca.not_after = not_after_;
  ca_ = spiffe::IssueTestCertificate(ca, upstream != nullptr ? &upstream->ca_ : nullptr);
  root_ = upstream != nullptr ? upstream->root_ : ca_.der;
  if (upstream != nullptr) above_ = ca_.der + upstream->above_;
  id_ = IdOf(ca_);
  jwt_key_ = spiffe::MakeTestJwtKey(RandomHex(32), "ES256");
}

Svid Authority::Sign(const std::string& spiffe_id, sys_seconds now, seconds ttl) const {
  spiffe::TestCertificateOptions leaf;
  leaf.common_name = "SVID";
  leaf.uris = {spiffe_id};
  leaf.serial = 1 + serial_.fetch_add(1, std::memory_order_relaxed);
  leaf.not_before = now - kBackdate;
  leaf.not_after = std::min(now + ttl, not_after_);
  const spiffe::TestIssued issued = spiffe::IssueTestCertificate(leaf, &ca_);
  return {spiffe_id, issued.der + above_, issued.key, leaf.not_before, leaf.not_after};
}

Svid Authority::SignServer(sys_seconds now, seconds ttl) const {
  return Sign(Id("spire/server"), now, ttl);
}

Svid Authority::SignAgent(std::string_view name, sys_seconds now, seconds ttl) const {
  return Sign(Id("spire/agent/" + std::string(name)), now, ttl);
}

std::string Authority::SignJwt(const std::string& spiffe_id, const std::string& audience,
                               sys_seconds now, seconds ttl) const {
  return spiffe::SignTestJwt(jwt_key_, R"({"sub":")" + spiffe_id + R"(","aud":[")" + audience +
                                           R"("],"iat":)" + Seconds10(now) + R"(,"exp":)" +
                                           Seconds10(now + ttl) + '}');
}

Status Authority::Save(const std::string& path) const {
  return WriteRecord(path, {trust_domain_, Seconds10(not_after_), EncodeHex(ca_.der),
                            EncodeHex(ca_.key), EncodeHex(root_), EncodeHex(above_), id_,
                            jwt_key_.id, jwt_key_.algorithm, EncodeHex(jwt_key_.key)});
}

Result<std::shared_ptr<const Authority>> Authority::Load(const std::string& path) {
  Result<std::vector<std::string>> read_lines = ReadRecord(path);
  if (!read_lines.ok()) return std::move(read_lines).error();
  const std::vector<std::string>& lines = read_lines.value();
  int64_t end = 0;
  if (lines.size() != 10 ||
      std::from_chars(lines[1].data(), lines[1].data() + lines[1].size(), end).ec != std::errc()) {
    return Error{Code::kDataLoss, Quoted(path) + " holds no authority", {}};
  }
  std::shared_ptr<Authority> read(new Authority());
  read->trust_domain_ = lines[0];
  read->not_after_ = sys_seconds(seconds(end));
  read->ca_ = {DecodeHex(lines[2]), DecodeHex(lines[3])};
  read->root_ = DecodeHex(lines[4]);
  read->above_ = DecodeHex(lines[5]);
  read->id_ = lines[6];
  read->jwt_key_ = {lines[7], lines[8], DecodeHex(lines[9])};
  // Several programs sign with it: their numbers shall differ.
  read->serial_.store(std::random_device{}() >> 1, std::memory_order_relaxed);
  return std::shared_ptr<const Authority>(read);
}

}  // namespace spire_exporter::fakes
