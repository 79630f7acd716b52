# Locks and capacity.
list(APPEND parts postgres_statistics)
house_library(postgres_statistics PART FOLDER collectors/postgres
  SOURCES capacity_families.cc capacity_findings.cc capacity_rebase.cc capacity_server.cc capacity_sessions.cc
    capacity_settings.cc locks_families.cc locks_reading.cc locks_tree.cc statistics_collector.cc statistics_memory.cc
    statistics_parts.cc statistics_reading.cc statistics_scope.cc
  LINKS client_postgres exporter_collect exporter_metrics exporter_base)

house_test(postgres_statistics_test LABEL unit SOURCES
  capacity_rebase_test.cc capacity_sessions_test.cc capacity_settings_test.cc locks_tree_test.cc
  statistics_families_test.cc
  LINKS postgres_statistics)
house_test(postgres_statistics_wire_test LABEL wire SOURCES locks_wire_test.cc statistics_wire_test.cc
  LINKS postgres_statistics test_postgres)
