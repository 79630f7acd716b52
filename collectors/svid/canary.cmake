# Identities as a workload gets them.
house_library(svid_canary PART FOLDER collectors/svid
  SOURCES canary_collector.cc canary_families.cc canary_judge.cc upstream_chain.cc
  LINKS svid_reach client_spire client_spiffe exporter_collect exporter_metrics exporter_base)
list(APPEND parts svid_canary)

house_test(svid_canary_test LABEL unit SOURCES canary_judge_test.cc upstream_chain_test.cc
  LINKS svid_canary test_identity test_servers)
# Debian's gRPC is not built for ThreadSanitizer.
if(NOT SPIRE_EXPORTER_SANITIZE MATCHES "thread")
  house_test(svid_canary_wire_test LABEL wire SOURCES canary_wire_test.cc LINKS svid_canary fake_identity)
endif()
