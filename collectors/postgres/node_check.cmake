# The nodes in `spire-exporter check`.
house_library(collector_postgres_check PART FOLDER collectors/postgres SOURCES node_check.cc
  LINKS exporter_collect exporter_base client_postgres)
list(APPEND parts collector_postgres_check)

house_test(postgres_node_check_test LABEL unit SOURCES node_check_test.cc
  LINKS collector_postgres_check)
house_test(postgres_node_check_wire_test LABEL wire SOURCES node_check_wire_test.cc
  LINKS collector_postgres_check test_postgres)
