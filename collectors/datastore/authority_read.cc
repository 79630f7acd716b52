#include "collectors/datastore/authority_read.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "collectors/clients/spire/records.h"

namespace spire_exporter::datastore {
namespace {

constexpr size_t kSentBytesMax = size_t{4} << 20;

constexpr std::string_view kBundles = "bundles";

std::string Epoch(const Schema& schema, std::string_view table, std::string_view column) {
  return "extract(epoch FROM " + schema.ColumnOrNull(table, column) + "::timestamptz)::float8";
}

// One table's rows, one more than are read: the last tells that there are more.
std::string Part(const Schema& schema, std::string_view table, std::string_view kind,
                 std::string_view name, const std::string& order, size_t limit) {
  return "(SELECT " + std::string(kind) + " AS kind, id::int8 AS id, " +
         Epoch(schema, table, "created_at") + " AS created, " + Epoch(schema, table, "updated_at") +
         " AS updated, " + std::string(name) +
         " AS name, octet_length(data) AS size, data, row_number() OVER (ORDER BY " + order +
         ") AS place FROM " + schema.Qualified(table) + " ORDER BY place LIMIT " +
         std::to_string(limit + 1) + ")";
}

constexpr std::string_view kBundleKind = "0";
constexpr std::string_view kJournalKind = "1";

std::string Parts(const AuthorityTables& tables, const std::string& trust_domain) {
  std::string parts;
  if (tables.bundles_status.ok()) {
    const std::string own =
        trust_domain.empty() ? ""
                             : "trust_domain <> " + pg::Quoted("spiffe://" + trust_domain) + ", ";
    parts = Part(tables.schema, kBundles, kBundleKind, "trust_domain", own + "id", kBundlesRead);
  }
  if (tables.journals_status.ok()) {
    if (!parts.empty()) parts += " UNION ALL ";
    const bool dated = tables.schema.Reads(kJournalsTable, {"updated_at"}).ok();
    parts += Part(tables.schema, kJournalsTable, kJournalKind, "NULL::text",
                  dated ? "updated_at DESC NULLS LAST, id DESC" : "id DESC", kJournalsRead);
  }
  return parts;
}

std::string KnownList(const KnownRecords& known) {
  std::string list;
  const auto add = [&](const auto& records) {
    for (const auto& [digest, record] : records) {
      list += (list.empty() ? "" : ", ") + pg::Quoted(digest);
    }
  };
  add(known.journals);
  add(known.bundles);
  return list;
}

std::string Statement(const AuthorityTables& tables, const KnownRecords& known,
                      const std::string& trust_domain) {
  const std::string list = KnownList(known);
  return "SELECT kind, id, created, updated, name, digest,"
         " CASE WHEN wanted AND sum(CASE WHEN wanted THEN size ELSE 0 END)"
         " OVER (ORDER BY kind, place) <= " +
         std::to_string(kSentBytesMax) +
         " THEN encode(data, 'hex') END, place"
         " FROM (SELECT *, digest IS NOT NULL" +
         (list.empty() ? "" : " AND digest NOT IN (" + list + ")") +
         " AS wanted FROM (SELECT *, CASE WHEN size <= " + std::to_string(spire::kRecordBytesMax) +
         " THEN left(encode(sha256(data), 'hex'), 32) END AS digest FROM (" +
         Parts(tables, trust_domain) + ") AS rows OFFSET 0) AS hashed OFFSET 0) AS marked";
}

int Digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 0;
}

std::string FromHex(std::string_view hex) {
  std::string bytes;
  bytes.reserve(hex.size() / 2);
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(Digit(hex[i]) * 16 + Digit(hex[i + 1]));
  }
  return bytes;
}

// What a row holds, from what was known or from what it brought. `cut` when it brought nothing.
template <typename Record, typename Read>
std::shared_ptr<const Record> RecordOf(
    const pg::Row& row, const std::map<std::string, std::shared_ptr<const Record>>& known,
    std::string* digest, bool* cut, Read read) {
  const auto known_one = known.find(*digest);
  if (known_one != known.end()) return known_one->second;
  const pg::Cell hex = row.Text(6);
  if (!hex) {
    digest->clear();  // asked for again the next time
    *cut = true;
    return nullptr;
  }
  auto record = read(FromHex(*hex));
  return record.ok() ? std::make_shared<const Record>(*std::move(record)) : nullptr;
}

void AddRow(const pg::Row& row, const KnownRecords& known, AuthorityTables* tables) {
  std::string digest = row.TextOr(5, "");
  const int64_t id = row.Int(1).value_or(0);
  const auto place = static_cast<size_t>(row.Int(7).value_or(0));
  if (row.TextOr(0, "") == kJournalKind) {
    if (place > kJournalsRead) {
      tables->journals_cut = true;
      return;
    }
    auto journal =
        RecordOf(row, known.journals, &digest, &tables->journals_cut, spire::ReadJournal);
    tables->journals.push_back(
        {id, row.Double(2), row.Double(3), std::move(digest), std::move(journal)});
  } else {
    if (place > kBundlesRead) {
      tables->bundles_cut = true;
      return;
    }
    auto bundle = RecordOf(row, known.bundles, &digest, &tables->bundles_cut, spire::ReadBundle);
    tables->bundles.push_back({id, std::string(spire::TrustDomainName(row.TextOr(4, ""))),
                               row.Double(3), std::move(digest), std::move(bundle)});
  }
}

template <typename Row>
void SortById(std::vector<Row>* rows) {
  std::sort(rows->begin(), rows->end(), [](const Row& a, const Row& b) { return a.id < b.id; });
}

}  // namespace

KnownRecords AuthorityTables::Records() const {
  KnownRecords known;
  for (const spire::JournalRow& row : journals) {
    if (!row.digest.empty()) known.journals[row.digest] = row.journal;
  }
  for (const spire::BundleRow& row : bundles) {
    if (!row.digest.empty()) known.bundles[row.digest] = row.bundle;
  }
  return known;
}

Result<std::optional<AuthorityTables>> ReadAuthorities(pg::Connection& connection,
                                                       const std::optional<Schema>& schema,
                                                       const KnownRecords& known,
                                                       const std::string& trust_domain) {
  const auto standby = connection.Query("the role of the node", "SELECT pg_is_in_recovery()");
  if (!standby.ok()) return standby.error();
  if (standby->Bool(0).value_or(true)) return std::optional<AuthorityTables>();
  AuthorityTables tables;
  if (schema) {
    tables.schema = *schema;
  } else {
    auto found = ReadSchema(connection);
    if (!found.ok()) return found.error();
    tables.schema = *std::move(found);
  }
  tables.journals_status = tables.schema.Reads(kJournalsTable, {"id", "data"});
  tables.bundles_status = tables.schema.Reads(kBundles, {"id", "trust_domain", "data"});
  if (tables.journals_status.ok() || tables.bundles_status.ok()) {
    const auto rows =
        connection.Query("read the authorities", Statement(tables, known, trust_domain));
    if (!rows.ok()) return rows.error();
    rows->ForEach([&](const pg::Row& row) { AddRow(row, known, &tables); });
  }
  SortById(&tables.journals);
  SortById(&tables.bundles);
  return std::optional<AuthorityTables>(std::move(tables));
}

}  // namespace spire_exporter::datastore
