# The rules of the house as functions: one library per folder, includes only along links, tests with labels.

# Packages that a folder finds are visible to the header check of the whole.
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)
find_package(Threads REQUIRED)
include(GNUInstallDirs)

# What runs a few times a minute is compiled for size: its code is resident in every pod, and a third smaller so.
# A folder says so for itself and those below.
define_property(DIRECTORY PROPERTY HOUSE_FOR_SIZE INHERITED)
define_property(TARGET PROPERTY HOUSE_FOR_SIZE INHERITED)
# The code under test is compiled as it is shipped, and the tests themselves are not optimised: the expanded
# assertions of GoogleTest would take most of a build.
define_property(TARGET PROPERTY HOUSE_IS_TEST)
# What stands in for others in tests, by folders.
define_property(DIRECTORY PROPERTY HOUSE_HELPS_TESTS INHERITED)
define_property(TARGET PROPERTY HOUSE_HELPS_TESTS INHERITED)

add_library(house_flags INTERFACE)
target_compile_options(house_flags INTERFACE
  -fno-omit-frame-pointer -fstack-protector-strong
  $<$<BOOL:$<TARGET_PROPERTY:HOUSE_IS_TEST>>:-O0>
  $<$<AND:$<CONFIG:Release>,$<NOT:$<BOOL:$<TARGET_PROPERTY:HOUSE_IS_TEST>>>>:$<IF:$<BOOL:$<TARGET_PROPERTY:HOUSE_FOR_SIZE>>,-Os,-O2>>
  $<$<CONFIG:Debug>:-Og>)
if(NOT SPIRE_EXPORTER_SANITIZE)
  target_compile_definitions(house_flags INTERFACE
    $<$<AND:$<CONFIG:Release>,$<NOT:$<BOOL:$<TARGET_PROPERTY:HOUSE_IS_TEST>>>>:_FORTIFY_SOURCE=2>)
endif()
target_link_options(house_flags INTERFACE -Wl,--as-needed -Wl,-z,relro,-z,now)
if(SPIRE_EXPORTER_SANITIZE)
  target_compile_options(house_flags INTERFACE
    -fsanitize=${SPIRE_EXPORTER_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(house_flags INTERFACE -fsanitize=${SPIRE_EXPORTER_SANITIZE})
endif()
# Four checks of each access, which address and the code under test find the reason of: in tests' own code and what
# third parties' headers expand to they take half of the compiler's time.
set(HOUSE_FEWER_CHECKS)
if(SPIRE_EXPORTER_SANITIZE MATCHES "undefined")
  set(HOUSE_FEWER_CHECKS -fno-sanitize=null,alignment,vptr,object-size)
endif()
target_compile_options(house_flags INTERFACE
  $<$<OR:$<BOOL:$<TARGET_PROPERTY:HOUSE_IS_TEST>>,$<BOOL:$<TARGET_PROPERTY:HOUSE_HELPS_TESTS>>>:${HOUSE_FEWER_CHECKS}>)
# house_fewer_checks(SOURCES...): of whom nearly all is a third party's header. They are compiled by themselves.
function(house_fewer_checks)
  if(HOUSE_FEWER_CHECKS)
    set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS "${HOUSE_FEWER_CHECKS}" SKIP_PRECOMPILE_HEADERS ON)
  endif()
endfunction()

# Warnings are for our own sources; Debian's headers come in as system headers.
add_library(house_warnings INTERFACE)
if(SPIRE_EXPORTER_DEVELOPER AND NOT SPIRE_EXPORTER_SANITIZE)
  target_compile_options(house_warnings INTERFACE
    -Werror -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
    -Wold-style-cast -Woverloaded-virtual -Wformat=2)
endif()

# The target `header_check` compiles each header of each library by itself, with the includes of its
# library: a header that leans on what its includer included, or reaches for a folder that its library
# does not link, fails. What the library links privately counts too, for headers that stay in the folder.
# A header that is the first thing its own source includes has been compiled by itself there.
if(SPIRE_EXPORTER_DEVELOPER)
  add_custom_target(header_check)
endif()
function(house_header_check library folder)
  file(GLOB headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}
       ${PROJECT_SOURCE_DIR}/${folder}/*.h)
  set(sources)
  foreach(header IN LISTS headers)
    string(REGEX REPLACE "h$" "cc" own_source ${PROJECT_SOURCE_DIR}/${header})
    if(EXISTS ${own_source})
      file(STRINGS ${own_source} first_include REGEX "^#include" LIMIT_COUNT 1)
      if(first_include STREQUAL "#include \"${header}\"")
        continue()
      endif()
    endif()
    set(source ${CMAKE_BINARY_DIR}/header_check/${library}/${header}.cc)
    file(CONFIGURE OUTPUT ${source} CONTENT "#include \"${header}\"\n")
    list(APPEND sources ${source})
  endforeach()
  if(sources)
    add_library(${library}_header_check OBJECT EXCLUDE_FROM_ALL ${sources})
    target_link_libraries(${library}_header_check PRIVATE house_warnings ${library} ${ARGN})
    target_compile_options(${library}_header_check PRIVATE -O0 -U_FORTIFY_SOURCE)
    # As house_test() has it: headers of tests stand beside the code.
    target_compile_definitions(${library}_header_check PRIVATE HOUSE_TESTDATA="${PROJECT_SOURCE_DIR}/tests/testdata")
    add_dependencies(header_check ${library}_header_check)
  endif()
endfunction()

# house_read_once(HEADERS TARGET IS_TEST <headers>...): TARGET has them from a precompiled header, which is the target
# HEADERS and made for the first that asks.
function(house_read_once headers target is_test)
  if(NOT TARGET ${headers})
    set(source ${CMAKE_BINARY_DIR}/${headers}.cc)
    file(CONFIGURE OUTPUT ${source} CONTENT "")
    add_library(${headers} OBJECT EXCLUDE_FROM_ALL ${source})
    target_compile_features(${headers} PUBLIC cxx_std_20)
    set_target_properties(${headers} PROPERTIES HOUSE_IS_TEST ${is_test})
    target_link_libraries(${headers} PRIVATE house_flags Threads::Threads)
    if(is_test)
      target_link_libraries(${headers} PRIVATE house_warnings GTest::gmock GTest::gtest)
    endif()
    target_precompile_headers(${headers} PRIVATE ${ARGN})
  endif()
  # -fpch-preprocess is for ccache, which else does not keep what a precompiled header went into.
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fpch-preprocess>)
  target_precompile_headers(${target} REUSE_FROM ${headers})
endfunction()

# Under sanitizers the standard library's headers are read once, a quarter of a file's time there. Warnings are judged
# in what is shipped, which does without: there, each file has to include what it uses.
function(house_standard_headers name)
  if(SPIRE_EXPORTER_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    house_read_once(house_standard_headers ${name} OFF
      <algorithm> <array> <atomic> <chrono> <functional> <map> <memory> <mutex> <optional> <set> <span> <string>
      <string_view> <thread> <unordered_map> <utility> <variant> <vector>)
  endif()
endfunction()

# The headers of GoogleTest are read once. They are only where nothing is optimised: elsewhere GCC 12 takes the
# headers in a precompiled one for ours and warns of them.
function(house_test_options name)
  set_target_properties(${name} PROPERTIES HOUSE_IS_TEST ON)
  if(NOT CMAKE_BUILD_TYPE STREQUAL Debug)
    house_read_once(house_test_headers ${name} ON <gmock/gmock.h> <gtest/gtest.h>)
  endif()
endfunction()

# house_library(NAME FOLDER <path from the top> SOURCES ... [LINKS public targets] [PRIVATE_LINKS targets] [PART])
# PART: one of several libraries of a folder. The one that links them all answers for the headers.
# A library sees its own headers and those of the libraries it links publicly, and no others: each folder's
# headers are reached through a root of their own that holds nothing but that folder.
function(house_library name)
  cmake_parse_arguments(ARG "PART" "FOLDER" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  set(root ${CMAKE_BINARY_DIR}/includes/${name})
  get_filename_component(parent ${ARG_FOLDER} DIRECTORY)
  file(MAKE_DIRECTORY ${root}/${parent})
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${ARG_FOLDER} ${root}/${ARG_FOLDER} SYMBOLIC)
  add_library(${name} STATIC ${ARG_SOURCES})
  # Who uses an installed library has flags of their own, and our headers in a folder of ours.
  target_include_directories(${name} PUBLIC $<BUILD_INTERFACE:${root}>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/spire_exporter>)
  target_compile_features(${name} PUBLIC cxx_std_20)
  target_link_libraries(${name} PUBLIC $<BUILD_INTERFACE:house_flags> Threads::Threads ${ARG_LINKS}
                                PRIVATE $<BUILD_INTERFACE:house_warnings> ${ARG_PRIVATE_LINKS})
  house_standard_headers(${name})
  if(SPIRE_EXPORTER_DEVELOPER AND NOT SPIRE_EXPORTER_SANITIZE AND NOT ARG_PART)
    house_header_check(${name} ${ARG_FOLDER} ${ARG_LINKS} ${ARG_PRIVATE_LINKS})
  endif()
endfunction()

# house_headers(NAME FOLDER LINKS targets): headers of a folder that others may have without its libraries.
function(house_headers name)
  cmake_parse_arguments(ARG "" "FOLDER" "LINKS" ${ARGN})
  set(root ${CMAKE_BINARY_DIR}/includes/${name})
  get_filename_component(parent ${ARG_FOLDER} DIRECTORY)
  file(MAKE_DIRECTORY ${root}/${parent})
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${ARG_FOLDER} ${root}/${ARG_FOLDER} SYMBOLIC)
  add_library(${name} INTERFACE)
  target_include_directories(${name} INTERFACE ${root})
  target_link_libraries(${name} INTERFACE ${ARG_LINKS})
endfunction()

# house_install(NAME EXPORT_NAME FOLDER): the library becomes spire_exporter::EXPORT_NAME of the CMake package
# `spire_exporter`, in the component `metrics`; also under that name for those who add this project as a folder,
# whose own installation stays free of it. Headers of tests stay out.
function(house_install name export_name folder)
  add_library(spire_exporter::${export_name} ALIAS ${name})
  set_target_properties(${name} PROPERTIES EXPORT_NAME ${export_name} OUTPUT_NAME spire_${name})
  if(NOT PROJECT_IS_TOP_LEVEL)
    return()
  endif()
  install(TARGETS ${name} EXPORT spire_exporter COMPONENT metrics
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT metrics)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${folder}/
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/spire_exporter/${folder} COMPONENT metrics
    FILES_MATCHING PATTERN "*.h" PATTERN "*test*" EXCLUDE PATTERN "strict_reader.h" EXCLUDE
    PATTERN "reference_protobuf.h" EXCLUDE PATTERN example EXCLUDE)
endfunction()

# house_program(NAME SOURCES ... LINKS ...)
# The target `programs` builds them all and nothing else.
if(SPIRE_EXPORTER_SIDECAR)
  add_custom_target(programs)
endif()
function(house_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  add_dependencies(programs ${name})
  target_link_libraries(${name} PRIVATE house_flags house_warnings ${ARG_LINKS})
endfunction()

# house_test(NAME LABEL unit|wire|golden|property|e2e SOURCES ... LINKS ... [TIMEOUT seconds] [DEFINITIONS ...]
#            [COST seconds]): COST is for those that take long, which ctest then starts first
# Tests find committed data under HOUSE_TESTDATA and never sleep.
function(house_test name)
  if(NOT SPIRE_EXPORTER_DEVELOPER)
    return()
  endif()
  cmake_parse_arguments(ARG "" "LABEL;TIMEOUT;COST" "SOURCES;LINKS;DEFINITIONS" ${ARGN})
  find_package(GTest REQUIRED)
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE house_flags house_warnings ${ARG_LINKS} GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE HOUSE_TESTDATA="${PROJECT_SOURCE_DIR}/tests/testdata"
    HOUSE_SOURCE_DIR="${PROJECT_SOURCE_DIR}" HOUSE_BINARY_DIR="${CMAKE_BINARY_DIR}" ${ARG_DEFINITIONS})
  house_test_options(${name})
  if(NOT SPIRE_EXPORTER_SANITIZE)
    set_target_properties(${name} PROPERTIES UNITY_BUILD OFF)  # of tests, clang-tidy reads the helpers alone
  endif()
  # Apart from the programs, so that bin/ holds what is shipped and nothing else.
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests-bin)
  add_test(NAME ${name} COMMAND ${name})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300) # five times what the longest takes on two busy cores
  endif()
  if(NOT ARG_COST)
    set(ARG_COST 1)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT} COST ${ARG_COST})
endfunction()
