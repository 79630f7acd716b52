# What the role may do: `spire-exporter grants`, and the rights in `spire-exporter check`.
house_library(collector_datastore_grants PART FOLDER collectors/datastore
  SOURCES definer_functions.cc grant_options.cc grants.cc rights.cc
  LINKS datastore_tables exporter_collect exporter_base client_postgres)
list(APPEND parts collector_datastore_grants)

house_test(datastore_grants_test LABEL unit SOURCES grant_options_test.cc rights_test.cc
  LINKS collector_datastore_grants)
house_test(datastore_grants_wire_test LABEL wire SOURCES
  grants_wire_test.cc least_power_wire_test.cc rights_wire_test.cc
  LINKS collector_datastore_grants test_postgres COST 30)
