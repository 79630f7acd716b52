#include "tests/fakes/identity/agent_state.h"

#include "collectors/clients/spiffe/x509_svid.h"
#include "exporter/base/text.h"
#include "tests/fakes/identity/record.h"

namespace spire_exporter::fakes {

Status SaveAgentState(const std::string& path, const AgentState& state) {
  std::string roots;
  for (const std::string& root : state.roots) roots += root;
  std::vector<std::string> lines = {state.token_used ? "used" : "new", EncodeHex(roots),
                                    state.jwks};
  if (state.own) {
    lines.insert(lines.end(),
                 {state.own->spiffe_id, EncodeHex(state.own->chain), EncodeHex(state.own->key)});
  }
  return WriteRecord(path, lines);
}

Result<AgentState> LoadAgentState(const std::string& path) {
  Result<std::vector<std::string>> lines = ReadRecord(path);
  if (!lines.ok()) return std::move(lines).error();
  const std::vector<std::string>& line = lines.value();
  if (line.size() != 3 && line.size() != 6) {
    return Error{Code::kDataLoss, Quoted(path) + " holds no agent's state", {}};
  }
  AgentState state;
  state.token_used = line[0] == "used";
  Result<std::vector<std::string>> roots = spiffe::SplitCertificates(DecodeHex(line[1]));
  if (roots.ok()) state.roots = std::move(roots).value();
  state.jwks = line[2];
  if (line.size() == 6) {
    Svid own{line[3], DecodeHex(line[4]), DecodeHex(line[5]), {}, {}};
    const Result<spiffe::LeafFacts> facts = spiffe::ReadLeaf(own.chain);
    if (!facts.ok()) return facts.error();
    own.not_before = facts.value().not_before;
    own.not_after = facts.value().not_after;
    state.own = std::move(own);
  }
  return state;
}

}  // namespace spire_exporter::fakes
