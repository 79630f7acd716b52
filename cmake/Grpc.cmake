# `spire_grpc`: gRPC without its own TLS, as archives, so that of it only what is called is ever mapped (decision 10).
# Everybody in one program links this and never grpc++ beside it: two copies of gRPC in a process end badly.
find_package(PkgConfig REQUIRED)
# Asked once, which takes seconds with this package: pkg_check_modules() would ask some twenty times.
execute_process(COMMAND ${PKG_CONFIG_EXECUTABLE} --static --libs grpc++_unsecure
  OUTPUT_VARIABLE grpc_flags OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
separate_arguments(grpc_flags UNIX_COMMAND "${grpc_flags}")
set(grpc_names ${grpc_flags})
list(FILTER grpc_names INCLUDE REGEX "^-l")
list(TRANSFORM grpc_names REPLACE "^-l" "")
set(grpc_folders ${grpc_flags})
list(FILTER grpc_folders INCLUDE REGEX "^-L")
list(TRANSFORM grpc_folders REPLACE "^-L" "")

# The package file of 1.51 forgets four. What has no archive is the system's and shared.
list(APPEND grpc_names upb address_sorting re2 cares)
list(REMOVE_DUPLICATES grpc_names)
set(grpc_archives)
foreach(name IN LISTS grpc_names)
  if(NOT name MATCHES "^(ssl|crypto|z|dl|pthread|rt|m|atomic|stdc\\+\\+|systemd|cap)$")
    find_library(grpc_archive_${name} NAMES lib${name}.a HINTS ${grpc_folders} REQUIRED)
    list(APPEND grpc_archives ${grpc_archive_${name}})
  endif()
endforeach()

find_package(ZLIB REQUIRED)
find_path(grpc_include grpcpp/grpcpp.h REQUIRED)
add_library(spire_grpc INTERFACE)
target_include_directories(spire_grpc SYSTEM INTERFACE ${grpc_include})
# They need each other in a circle.
list(JOIN grpc_archives "," grpc_archives)
target_link_libraries(spire_grpc INTERFACE
  $<LINK_GROUP:RESCAN,${grpc_archives}> ZLIB::ZLIB ${CMAKE_DL_LIBS} Threads::Threads)
