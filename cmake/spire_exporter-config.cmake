# The CMake package `spire_exporter`: spire_exporter::metrics, and spire_exporter::expose for pages and the bridge to
# prometheus-cpp.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
include(${CMAKE_CURRENT_LIST_DIR}/spire_exporter-targets.cmake)
