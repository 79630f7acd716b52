# The servers as they are reached from here, and what is trusted here.
house_library(svid_reach PART FOLDER collectors/svid
  SOURCES reach_check.cc reach_collector.cc reach_families.cc reach_judge.cc reach_memory.cc reach_probe.cc reach_schedule.cc
  trust_roots.cc
  LINKS client_spire client_spire_records client_spiffe client_net exporter_collect exporter_metrics exporter_base)
list(APPEND parts svid_reach)

if(SPIRE_EXPORTER_DEVELOPER)
  house_library(test_servers PART FOLDER collectors/svid SOURCES test_servers.cc LINKS svid_reach test_identity)
endif()
house_test(svid_reach_test LABEL unit SOURCES
  reach_judge_test.cc reach_memory_test.cc reach_schedule_test.cc trust_roots_test.cc
  LINKS test_servers)
house_test(svid_reach_names_test LABEL unit SOURCES reach_names_test.cc LINKS svid_reach test_names)
# Debian's gRPC is not built for ThreadSanitizer, which then sees races in it that are none.
if(SPIRE_EXPORTER_DEVELOPER AND NOT SPIRE_EXPORTER_SANITIZE MATCHES "thread")
  # gRPC brings macros of absl that ours in exporter/base/mutex.h are named like.
  set_source_files_properties(test_port.cc PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  house_library(test_reach PART FOLDER collectors/svid SOURCES test_port.cc test_reach.cc LINKS test_servers test_rpc_server)
  house_test(svid_reach_wire_test LABEL wire SOURCES reach_check_wire_test.cc reach_wire_test.cc LINKS test_reach fake_hung TIMEOUT 120)
endif()
