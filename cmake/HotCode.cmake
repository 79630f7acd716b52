# house_hot_code(PROGRAM): what its work runs lies together, as hot_code.txt lists it. The kernel maps code in windows of
# 64 KiB: while what is run lay anywhere, nearly all was resident. A name in the list that is no longer there costs
# nothing but its gain; tests/bench/hot_code.py writes the list. Linkers that take no script with INSERT go without.
include(CheckLinkerFlag)

function(house_hot_code program)
  if(SPIRE_EXPORTER_SANITIZE OR NOT CMAKE_BUILD_TYPE STREQUAL Release)
    return()
  endif()
  set(list ${PROJECT_SOURCE_DIR}/cmake/hot_code.txt)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${list})
  file(STRINGS ${list} lines REGEX "^[^#]")
  set(code "    *(.text.hot .text.hot.*)\n")
  foreach(line IN LISTS lines)
    if(line MATCHES "^(.*):(.*):unlikely$")
      string(APPEND code "    *lib${CMAKE_MATCH_1}.a:${CMAKE_MATCH_2}(.text.unlikely)\n")
    elseif(line MATCHES "^(.*):(.*)$")
      string(APPEND code "    *lib${CMAKE_MATCH_1}.a:${CMAKE_MATCH_2}(.text)\n")
    else()
      string(APPEND code "    *(.text.${line}*)\n")
    endif()
  endforeach()
  set(script ${CMAKE_BINARY_DIR}/hot_code.ld)
  file(CONFIGURE OUTPUT ${script} @ONLY CONTENT "SECTIONS {
  .text_hot : {
@code@  }
}
INSERT BEFORE .text;
")
  check_linker_flag(CXX "-Wl,-T,${script}" HOUSE_LINKER_TAKES_HOT_CODE)
  if(HOUSE_LINKER_TAKES_HOT_CODE)
    target_link_options(${program} PRIVATE -Wl,-T,${script})
    set_property(TARGET ${program} APPEND PROPERTY LINK_DEPENDS ${script})
  endif()
endfunction()
