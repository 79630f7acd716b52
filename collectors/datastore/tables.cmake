# SPIRE's own tables, by tiers.
house_library(datastore_tables PART FOLDER collectors/datastore
  SOURCES agent_tally.cc agents_horizon.cc audit_collector.cc audit_read.cc election.cc event_follower.cc events_lag.cc id_clock.cc restore_watch.cc schema.cc
          summary_collector.cc summary_families.cc summary_judge.cc summary_read.cc survey_collector.cc
          survey_families.cc survey_read.cc
  LINKS client_postgres client_spiffe client_spire_facts exporter_collect exporter_metrics exporter_base)
list(APPEND parts datastore_tables)

house_test(datastore_tables_test LABEL unit SOURCES agents_horizon_test.cc event_follower_test.cc summary_watch_test.cc survey_test.cc
  LINKS datastore_tables)
house_test(datastore_tables_wire_test LABEL wire SOURCES summary_wire_test.cc survey_wire_test.cc
  LINKS datastore_tables test_postgres COST 20)
house_test(datastore_plans_test LABEL golden SOURCES plans_golden_test.cc
  LINKS datastore_tables test_postgres)
