# The authorities of every server, held against the bundle.
house_library(datastore_authorities PART FOLDER collectors/datastore
  SOURCES authority_collector.cc authority_families.cc authority_judge.cc authority_read.cc
  LINKS datastore_tables client_postgres client_spire_records exporter_collect exporter_metrics exporter_base)
list(APPEND parts datastore_authorities)

house_test(datastore_authorities_test LABEL unit SOURCES authority_judge_test.cc
  LINKS datastore_authorities test_spire_records)
house_test(datastore_authorities_wire_test LABEL wire SOURCES authority_wire_test.cc
  LINKS datastore_authorities test_spire_records test_postgres)
