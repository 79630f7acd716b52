# Replication: what PostgreSQL's nodes say of it, and what is true.
house_library(postgres_replication PART FOLDER collectors/postgres
  SOURCES replication_ask.cc replication_collector.cc replication_families.cc replication_history.cc
  replication_judge.cc replication_reading.cc replication_statements.cc
  LINKS exporter_collect exporter_metrics exporter_base client_postgres)
list(APPEND parts postgres_replication)

house_test(postgres_replication_test LABEL unit SOURCES
  replication_families_test.cc replication_history_test.cc replication_judge_test.cc replication_standing_test.cc
  LINKS postgres_replication)
house_test(postgres_replication_property_test LABEL property SOURCES replication_property_test.cc
  LINKS postgres_replication)
house_test(postgres_replication_wire_test LABEL wire SOURCES replication_wire_test.cc
  LINKS postgres_replication test_postgres TIMEOUT 300 COST 40)
house_test(postgres_replication_failover_wire_test LABEL wire
  SOURCES replication_failover_wire_test.cc LINKS postgres_replication test_postgres TIMEOUT 300 COST 60)
