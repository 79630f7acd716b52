#include "collectors/svid/test_servers.h"

namespace spire_exporter::svid {

TestServer MakeTestServer(std::chrono::seconds after, std::chrono::seconds root_after) {
  TestServer server;
  spiffe::TestCertificateOptions options;
  options.not_before = kTestNow - std::chrono::seconds(600);
  options.ca = true;
  options.uris = {"spiffe://example.org"};
  options.not_after = kTestNow + root_after;
  server.root = spiffe::IssueTestCertificate(options);
  options.ca = false;
  options.uris = {"spiffe://example.org/spire/server"};
  options.not_after = kTestNow + after;
  server.leaf = spiffe::IssueTestCertificate(options, &server.root);
  return server;
}

spire::ServedBundle ServedBy(const TestServer& server, const std::vector<TestServer>& others,
                             uint64_t sequence_number) {
  spire::ServedBundle served;
  served.bundle.trust_domain = "example.org";
  served.bundle.sequence_number = sequence_number;
  served.chain = {server.leaf.der};
  const auto add = [&served](const TestServer& one) {
    served.certificates.push_back(one.root.der);
    spire::BundleAuthority authority;
    authority.id = spiffe::ReadLeaf(one.leaf.der)->authority_key_id;
    authority.not_after = spiffe::ReadLeaf(one.root.der)->not_after;
    served.bundle.authorities.push_back(authority);
  };
  add(server);
  for (const TestServer& other : others) add(other);
  return served;
}

ReachProbe Serving(const TestServer& server, const std::vector<TestServer>& others,
                   uint64_t sequence_number) {
  ReachProbe probe;
  probe.ended = spire::ServerStage::kDone;
  probe.served = ServedBy(server, others, sequence_number);
  probe.chain = probe.served->chain;
  return probe;
}

ReachProbe Ended(spire::ServerStage stage, Code code) {
  ReachProbe probe;
  probe.ended = stage;
  probe.code = code;
  return probe;
}

}  // namespace spire_exporter::svid
