# civetweb as a private static library from the source of Debian's package. The packaged binary has
# features compiled in that we do not want reachable (files, CGI) and its own idea of sockets.
#
# The door in exporter/http owns every socket: civetweb's calls that concern its listening socket are
# redirected by a forced include, its source is unchanged. See civetweb_redirect.h.

set(SPIRE_EXPORTER_CIVETWEB_DIR "" CACHE PATH
  "Source of civetweb 1.15 or later; empty: fetched from Debian into build/deps of the source tree")

function(house_add_civetweb name redirect_header redirect_source)
  set(dir "${SPIRE_EXPORTER_CIVETWEB_DIR}")
  if(NOT dir)
    execute_process(
      COMMAND ${PROJECT_SOURCE_DIR}/cmake/fetch_civetweb.sh ${PROJECT_SOURCE_DIR}/build/deps
      OUTPUT_VARIABLE dir OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed)
    if(failed)
      message(FATAL_ERROR
        "No source of civetweb; set SPIRE_EXPORTER_CIVETWEB_DIR to a directory that holds it")
    endif()
  endif()
  if(NOT EXISTS ${dir}/src/civetweb.c)
    message(FATAL_ERROR "SPIRE_EXPORTER_CIVETWEB_DIR=${dir} has no src/civetweb.c")
  endif()

  add_library(${name} STATIC ${dir}/src/civetweb.c ${redirect_source})
  target_include_directories(${name} SYSTEM PUBLIC ${dir}/include)
  # NO_SSL: TLS ends in the door, where a handshake cannot hold a worker; libssl is not mapped for
  # civetweb's sake. NO_FILES and NO_CGI: it serves nothing by itself. NO_ALTERNATIVE_QUEUE: its other
  # queue polls every millisecond while all workers are busy.
  target_compile_definitions(${name} PRIVATE NO_SSL NO_FILES NO_CGI NO_CACHING NO_ALTERNATIVE_QUEUE
                                             USE_IPV6 _GNU_SOURCE)
  set_source_files_properties(${dir}/src/civetweb.c PROPERTIES
    COMPILE_OPTIONS "-w;-DSPIRE_EXPORTER_INSIDE_CIVETWEB;-include;${redirect_header}" OBJECT_DEPENDS ${redirect_header})
  target_link_libraries(${name} PRIVATE house_flags Threads::Threads ${CMAKE_DL_LIBS})
endfunction()
