#include "collectors/datastore/authority_collector.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "collectors/clients/postgres/ask.h"
#include "collectors/clients/spire/authority_set.h"
#include "collectors/clients/spire/records.h"
#include "collectors/datastore/authority_judge.h"
#include "collectors/datastore/authority_read.h"
#include "exporter/base/text.h"

namespace spire_exporter::datastore {
namespace {

constexpr Duration kKeptFor = std::chrono::minutes(2);
// A migration or a grant may change what can be read; one is waited for where something is missing.
constexpr Duration kSchemaFor = std::chrono::minutes(10);
constexpr Duration kPoorSchemaFor = std::chrono::minutes(1);

using Answer = std::optional<AuthorityTables>;

template <typename Row>
bool AllRead(const std::vector<Row>& rows) {
  return std::all_of(rows.begin(), rows.end(), [](const Row& row) {
    if constexpr (std::is_same_v<Row, spire::JournalRow>) {
      return row.journal && row.journal->unreadable == 0;
    } else {
      return row.bundle && row.bundle->unreadable == 0;
    }
  });
}

spire::AuthoritySet SetOf(AuthorityTables tables, std::string_view trust_domain) {
  spire::AuthoritySet set;
  const auto own = OwnBundle(tables.bundles, tables.journals, trust_domain);
  if (own) {
    const auto at = tables.bundles.begin() + static_cast<std::ptrdiff_t>(*own);
    set.bundle = *at;
    tables.bundles.erase(at);
    set.federated = std::move(tables.bundles);
  }
  set.journals = std::move(tables.journals);
  set.journals_whole = tables.journals_status.ok() && !tables.journals_cut &&
                       !set.journals.empty() && AllRead(set.journals);
  return set;
}

AuthoritySources SourcesOf(const AuthorityTables& tables, std::string_view trust_domain) {
  AuthoritySources sources{"ok", "ok"};
  if (!tables.journals_status.ok()) {
    sources.journals = StateOf(tables.journals_status);
  } else if (tables.journals.empty()) {
    sources.journals = "empty";
  } else if (tables.journals_cut || !AllRead(tables.journals)) {
    sources.journals = "partial";
  }
  if (!tables.bundles_status.ok()) {
    sources.bundles = StateOf(tables.bundles_status);
  } else if (tables.bundles.empty()) {
    sources.bundles = "empty";
  } else if (!OwnBundle(tables.bundles, tables.journals, trust_domain)) {
    sources.bundles = "no_own";
  } else if (tables.bundles_cut || !AllRead(tables.bundles)) {
    sources.bundles = "partial";
  }
  return sources;
}

// The primary's answer; without one, why there is none: the failure of a node that may be it.
Result<AuthorityTables> FromPrimary(std::vector<pg::Answer<Answer>> answers) {
  std::optional<Error> failure;
  for (pg::Answer<Answer>& answer : answers) {
    if (answer.result.ok()) {
      if (*answer.result) return **std::move(answer.result);
    } else if (answer.node.session && (!failure || failure->code == Code::kUnavailable)) {
      failure = answer.result.error();
    }
  }
  if (failure) return *std::move(failure);
  return Error{Code::kUnavailable, "no node is a primary", "", true};
}

class AuthoritiesCollector final : public Collector {
 public:
  AuthoritiesCollector(Duration interval, Duration timeout, std::string trust_domain,
                       std::string fingerprint, std::shared_ptr<pg::NodeSet> nodes)
      : interval_(interval),
        timeout_(timeout),
        trust_domain_(spire::TrustDomainName(trust_domain)),
        fingerprint_(std::move(fingerprint)),
        nodes_(std::move(nodes)) {}

  std::string_view Name() const override { return "datastore"; }
  std::string_view Target() const override { return "authorities"; }
  std::string Fingerprint() const override {
    return fingerprint_ + '\n' + FormatDuration(interval_) + '\n' + FormatDuration(timeout_) +
           '\n' + trust_domain_;
  }
  Duration Period() const override { return interval_; }
  Duration Timeout() const override { return timeout_; }

  Result<Reading> Collect(const CollectContext& context) override {
    if (created_seconds_ == 0) created_seconds_ = UnixSeconds(context.clock.System());
    Result<AuthorityTables> tables = Read(context);
    const bool anew = tables.ok();
    const SteadyTime now = context.clock.Steady();
    Reading reading;
    if (anew) {
      TakeOver(*std::move(tables), now);
      if (set_.bundle) bundle_watch_.Observe(*set_.bundle);
    } else {
      // Rights and tables may have changed since the schema was read.
      schema_.reset();
      reading.problem = tables.error();
      const std::string_view state = StateOf(reading.problem);
      sources_ = {state, state};
    }
    AddAuthoritySources(sources_, &reading.families);
    AddBundleWatch(bundle_watch_, created_seconds_, &reading.families);
    if (!read_at_ || now - *read_at_ > kKeptFor) return reading;
    const Judgement judgement = judge_.Judge(&set_, context.clock.System(), anew);
    AddAuthorities(set_, judgement, &reading.families);
    reading.facts.push_back(Fact::Make(std::string(spire::kAuthoritySetSubject), *read_at_, set_));
    return reading;
  }

 private:
  Result<AuthorityTables> Read(const CollectContext& context) {
    const Duration age = context.clock.Steady() - schema_at_;
    if (age > (poor_ ? kPoorSchemaFor : kSchemaFor)) schema_.reset();
    pg::NodeList list = nodes_->List(interval_, context.deadline, context.stop);
    if (list.nodes.empty() && !list.problems.empty()) return list.problems.front().error;
    return FromPrimary(pg::AskEach<Answer>(
        std::move(list.nodes), {context.deadline, timeout_}, context.stop,
        [schema = schema_, known = known_, domain = trust_domain_](pg::Connection& connection) {
          return ReadAuthorities(connection, schema, *known, domain);
        }));
  }

  void TakeOver(AuthorityTables tables, SteadyTime now) {
    if (!schema_) schema_at_ = now;
    schema_ = tables.schema;
    poor_ = !tables.journals_status.ok() || !tables.bundles_status.ok();
    known_ = std::make_shared<const KnownRecords>(tables.Records());
    sources_ = SourcesOf(tables, trust_domain_);
    set_ = SetOf(std::move(tables), trust_domain_);
    read_at_ = now;
  }

  const Duration interval_;
  const Duration timeout_;
  const std::string trust_domain_;
  const std::string fingerprint_;
  const std::shared_ptr<pg::NodeSet> nodes_;

  std::optional<Schema> schema_;
  SteadyTime schema_at_;
  bool poor_ = false;  // something of it is not there or not ours to read
  std::shared_ptr<const KnownRecords> known_ = std::make_shared<const KnownRecords>();
  AuthoritySources sources_;
  spire::AuthoritySet set_;
  std::optional<SteadyTime> read_at_;
  AuthorityJudge judge_;
  BundleWatch bundle_watch_;
  double created_seconds_ = 0;
};

}  // namespace

std::unique_ptr<Collector> MakeAuthoritiesCollector(Duration interval, Duration timeout,
                                                    std::string trust_domain,
                                                    std::string fingerprint,
                                                    std::shared_ptr<pg::NodeSet> nodes) {
  return std::make_unique<AuthoritiesCollector>(interval, timeout, std::move(trust_domain),
                                                std::move(fingerprint), std::move(nodes));
}

}  // namespace spire_exporter::datastore
