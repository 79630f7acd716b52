# The CMake package `spire_exporter`, with the components `metrics` and `expose`: spire_exporter::metrics, which needs no
# other package, and spire_exporter::expose for pages and the bridge to prometheus-cpp, which needs prometheus-cpp's core
# and libdeflate. Both targets are there whether asked for or not; who asks for `expose` learns here what it lacks.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
include(${CMAKE_CURRENT_LIST_DIR}/spire_exporter-targets.cmake)
set(spire_exporter_metrics_FOUND TRUE)

find_path(SPIRE_EXPORTER_PROMETHEUS_CORE_INCLUDE prometheus/registry.h)
find_library(SPIRE_EXPORTER_PROMETHEUS_CORE prometheus-cpp-core)
find_library(SPIRE_EXPORTER_LIBDEFLATE NAMES libdeflate.a deflate)
mark_as_advanced(SPIRE_EXPORTER_PROMETHEUS_CORE_INCLUDE SPIRE_EXPORTER_PROMETHEUS_CORE SPIRE_EXPORTER_LIBDEFLATE)
if(SPIRE_EXPORTER_PROMETHEUS_CORE_INCLUDE AND SPIRE_EXPORTER_PROMETHEUS_CORE AND SPIRE_EXPORTER_LIBDEFLATE)
  set(spire_exporter_expose_FOUND TRUE)
  if(NOT TARGET spire_exporter::prometheus_core)
    add_library(spire_exporter::prometheus_core INTERFACE IMPORTED)
    set_target_properties(spire_exporter::prometheus_core PROPERTIES
      INTERFACE_INCLUDE_DIRECTORIES ${SPIRE_EXPORTER_PROMETHEUS_CORE_INCLUDE}
      INTERFACE_LINK_LIBRARIES ${SPIRE_EXPORTER_PROMETHEUS_CORE})
    add_library(spire_exporter::libdeflate INTERFACE IMPORTED)
    set_target_properties(spire_exporter::libdeflate PROPERTIES INTERFACE_LINK_LIBRARIES ${SPIRE_EXPORTER_LIBDEFLATE})
  endif()
endif()

foreach(component IN LISTS spire_exporter_FIND_COMPONENTS)
  if(NOT spire_exporter_${component}_FOUND AND spire_exporter_FIND_REQUIRED_${component})
    set(spire_exporter_FOUND FALSE)
    if(component STREQUAL "expose")
      set(spire_exporter_NOT_FOUND_MESSAGE
          "spire_exporter::expose needs prometheus-cpp-core and libdeflate: Debian's prometheus-cpp-dev, libdeflate-dev")
    else()
      set(spire_exporter_NOT_FOUND_MESSAGE "spire_exporter has no component ${component}: metrics, expose")
    endif()
  endif()
endforeach()
