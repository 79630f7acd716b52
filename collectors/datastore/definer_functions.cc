#include "collectors/datastore/definer_functions.h"

#include <array>

namespace spire_exporter::datastore {
namespace {

constexpr std::array kFunctions = {
    DefinerFunction{"agent_events",
                    "oldest bigint, newest bigint, newest_created double precision, recent bigint, "
                    "recent_first bigint",
                    R"(  SELECT (SELECT min(id)::bigint FROM @home@.attested_node_entries_events),
         (SELECT max(id)::bigint FROM @home@.attested_node_entries_events),
         (SELECT date_part('epoch', created_at) FROM @home@.attested_node_entries_events
           ORDER BY id DESC LIMIT 1),
         count(*), min(id)::bigint
    FROM @home@.attested_node_entries_events
   WHERE id > (SELECT max(id) FROM @home@.attested_node_entries_events) - 1000
)",
                    "agents' events: ids, age, gaps"},
    DefinerFunction{"agent_expiries",
                    "soonest double precision, oldest double precision, newest double precision",
                    R"(  SELECT (SELECT date_part('epoch', min(expires_at))
            FROM @home@.attested_node_entries WHERE expires_at >= now()),
         (SELECT date_part('epoch', min(expires_at)) FROM @home@.attested_node_entries),
         (SELECT date_part('epoch', max(expires_at)) FROM @home@.attested_node_entries)
)",
                    "when the first and the last agent expires"},
    DefinerFunction{
        "agent_lifetimes", "up_to double precision, agents bigint",
        R"(  SELECT CASE WHEN remaining > 0 THEN power(2, ceil(log(2, remaining::numeric)))
              ELSE 0 END::double precision,
         count(*)
    FROM (SELECT date_part('epoch', expires_at - now()) AS remaining
            FROM @home@.attested_node_entries
           WHERE serial_number <> '') AS agent
   WHERE remaining IS NOT NULL
   GROUP BY 1
   ORDER BY 1
)",
        "agents by remaining lifetime, in powers of two seconds; 0 is lapsed"},
    DefinerFunction{"agents_by_attestor", "attestor text, agents bigint",
                    R"(  SELECT data_type, count(*)
    FROM @home@.attested_node_entries
   WHERE expires_at >= now() AND serial_number <> ''
   GROUP BY 1
   ORDER BY 2 DESC
   LIMIT 50
)",
                    "live agents by attestor"},
    DefinerFunction{"agents_by_state",
                    "agents bigint, live bigint, lapsed bigint, banned bigint, renewing bigint",
                    R"(  SELECT count(*),
         count(*) FILTER (WHERE expires_at >= now() AND serial_number <> ''),
         count(*) FILTER (WHERE expires_at < now() AND serial_number <> ''),
         count(*) FILTER (WHERE serial_number = ''),
         count(*) FILTER (WHERE new_expires_at IS NOT NULL)
    FROM @home@.attested_node_entries
)",
                    "agents by state"},
    DefinerFunction{"agents_by_version", "version text, agents bigint",
                    R"(  SELECT agent_version, count(*)
    FROM @home@.attested_node_entries
   WHERE expires_at >= now() AND serial_number <> ''
   GROUP BY 1
   ORDER BY 2 DESC
   LIMIT 50
)",
                    "live agents by version of SPIRE; from schema 24 on"},
    DefinerFunction{
        "entries_by_kind",
        "entries bigint, admin bigint, downstream bigint, store_svid bigint, "
        "expiring bigint",
        R"(  SELECT count(*), count(*) FILTER (WHERE admin), count(*) FILTER (WHERE downstream),
         count(*) FILTER (WHERE store_svid), count(*) FILTER (WHERE expiry > 0)
    FROM @home@.registered_entries
)",
        "entries by kind"},
    DefinerFunction{"entry_events",
                    "oldest bigint, newest bigint, newest_created double precision, recent bigint, "
                    "recent_first bigint",
                    R"(  SELECT (SELECT min(id)::bigint FROM @home@.registered_entries_events),
         (SELECT max(id)::bigint FROM @home@.registered_entries_events),
         (SELECT date_part('epoch', created_at) FROM @home@.registered_entries_events
           ORDER BY id DESC LIMIT 1),
         count(*), min(id)::bigint
    FROM @home@.registered_entries_events
   WHERE id > (SELECT max(id) FROM @home@.registered_entries_events) - 1000
)",
                    "entries' events: ids, age, gaps"},
    DefinerFunction{"entry_look", "newest_row bigint, expired bigint",
                    R"(  SELECT (SELECT max(id)::bigint FROM @home@.registered_entries),
         (SELECT count(*) FROM (SELECT FROM @home@.registered_entries
           WHERE expiry > 0 AND expiry < date_part('epoch', now())::bigint LIMIT 10001) AS few)
)",
                    "the newest entry and those past their time, up to 10001"},
    DefinerFunction{
        "join_tokens", "tokens bigint, expired bigint",
        R"(  SELECT count(*), count(*) FILTER (WHERE expiry < date_part('epoch', now())::bigint)
    FROM @home@.join_tokens
)",
        "join tokens, counted"},
    DefinerFunction{"trust",
                    "bundles bigint, newest_change double precision, federated bigint, "
                    "journals bigint",
                    R"(  SELECT count(*), date_part('epoch', max(updated_at)),
         (SELECT count(*) FROM @home@.federated_trust_domains),
         (SELECT count(*) FROM @home@.ca_journals)
    FROM @home@.bundles
)",
                    "bundles, federation and servers' journals, counted; from schema 23 on"},
    DefinerFunction{
        "versions", "schema_version bigint, code_version text",
        R"(  SELECT version::bigint, code_version FROM @home@.migrations ORDER BY id LIMIT 1
)",
        "versions of the schema and of the newest SPIRE that ran"},
};

}  // namespace

std::span<const DefinerFunction> DefinerFunctions() {
  return kFunctions;
}

}  // namespace spire_exporter::datastore
