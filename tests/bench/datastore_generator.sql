-- Fills SPIRE's tables (tests/testdata/spire_schema_25.sql) with :entries registration entries and
-- :agents agents, deterministically and in about a minute at a million of each:
--
--   psql -v entries=1000000 -v agents=1000000 -f datastore_generator.sql
--
-- Of the agents 70 % have expired (nobody prunes by default), one in a thousand is banned, versions,
-- attestors and lifetimes are mixed. Entries have up to three selectors and belong to the agents by
-- number; one in 5,000 has an expiry, of which a tenth is overdue. An event for every second row.
SET synchronous_commit = off;

INSERT INTO attested_node_entries (created_at, updated_at, spiffe_id, data_type, serial_number,
                                   expires_at, new_serial_number, can_reattest, agent_version)
SELECT now() - interval '2 hours',
       CASE WHEN i % 10 < 3 THEN now() - (i % 1800) * interval '1 second'
            ELSE now() - interval '1 day' - (i % 864000) * interval '1 second' END,
       'spiffe://example.org/spire/agent/k8s_psat/cluster-' || i % 7 || '/' || md5(i::text),
       CASE WHEN i % 20 = 0 THEN 'join_token' WHEN i % 11 = 0 THEN 'x509pop' ELSE 'k8s_psat' END,
       CASE WHEN i % 1000 = 7 THEN '' ELSE (i::bigint * 7919)::text END,
       CASE WHEN i % 10 < 3 THEN now() + (3600 - i % 1800) * interval '1 second'
            ELSE now() + interval '1 hour' - interval '1 day' - (i % 864000) * interval '1 second' END,
       '', true,
       CASE WHEN i % 50 = 0 THEN NULL WHEN i % 3 = 0 THEN '1.14.2' ELSE '1.15.3' END
FROM generate_series(1, :agents) AS i;

INSERT INTO node_resolver_map_entries (created_at, updated_at, spiffe_id, type, value)
SELECT created_at, updated_at, spiffe_id, 'k8s_psat', 'cluster:c' || id % 7
FROM attested_node_entries;

INSERT INTO registered_entries (created_at, updated_at, entry_id, spiffe_id, parent_id, ttl, admin,
                                downstream, expiry, revision_number, store_svid, hint, jwt_svid_ttl)
SELECT now() - i % 864000 * interval '1 second', now() - i % 864000 * interval '1 second',
       md5('entry' || i)::uuid::text,
       'spiffe://example.org/ns/' || CASE WHEN i % 4 = 0 THEN 'pay-' || i % 31 ELSE 'shop-' || i % 53 END
         || '/sa/service-' || i % 997,
       'spiffe://example.org/spire/agent/k8s_psat/cluster-'
         || (1 + i % :agents) % 7 || '/' || md5((1 + i % :agents)::text),
       0, i % 100000 = 1, i % 50000 = 1,
       CASE WHEN i % 50000 = 0 THEN extract(epoch FROM now())::bigint - 3600
            WHEN i % 5000 = 0 THEN extract(epoch FROM now())::bigint + 86400 ELSE 0 END,
       i % 3, i % 10000 = 3, '', 0
FROM generate_series(1, :entries) AS i;

INSERT INTO selectors (created_at, updated_at, registered_entry_id, type, value)
SELECT e.created_at, e.updated_at, e.id, 'k8s', 'ns:n' || s || ':' || e.id % 997
FROM registered_entries e, generate_series(1, 3) AS s;

INSERT INTO registered_entries_events (created_at, updated_at, entry_id)
SELECT now() - (:entries - id) * interval '1 millisecond',
       now() - (:entries - id) * interval '1 millisecond', entry_id
FROM registered_entries WHERE id % 2 = 0 ORDER BY id;

INSERT INTO attested_node_entries_events (created_at, updated_at, spiffe_id)
SELECT now() - (:agents - id) * interval '1 millisecond',
       now() - (:agents - id) * interval '1 millisecond', spiffe_id
FROM attested_node_entries WHERE id % 2 = 0 ORDER BY id;

INSERT INTO bundles (created_at, updated_at, trust_domain, data)
VALUES (now(), now(), 'spiffe://example.org', '');

VACUUM (ANALYZE);
