# Locks and capacity.
list(APPEND parts postgres_statistics)
house_library(postgres_statistics FOLDER collectors/postgres
  SOURCES capacity_rebase.cc locks_tree.cc
  LINKS client_postgres exporter_collect exporter_metrics exporter_base)

house_test(postgres_statistics_test LABEL unit SOURCES
  capacity_rebase_test.cc locks_tree_test.cc
  LINKS postgres_statistics)
