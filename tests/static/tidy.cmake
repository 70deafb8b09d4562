# SPDX-License-Identifier: BSL-1.0
# clang-tidy finds nothing in the headers, with the checks of .clang-tidy. Other versions know other checks, so without
# version 14: skipped.
include(${CMAKE_CURRENT_LIST_DIR}/checks.cmake)

find_program(clang_tidy NAMES clang-tidy-14 clang-tidy)
set(version "none")
if(clang_tidy)
  execute_process(COMMAND ${clang_tidy} --version OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE)
  string(REGEX MATCH "version [0-9.]+" version "${version}")
endif()
if(NOT version MATCHES "version 14\\.")
  message("SKIPPED: needs clang-tidy 14, found: ${version}")
  return()
endif()

# One translation unit for all of them: most of the time goes into the standard library's headers.
find_sources(headers include/brownout/*.hpp)
set(unit "")
foreach(header IN LISTS headers)
  read_source(${header} text) # counts it
  if(header MATCHES "/prometheus_cpp/") # it needs headers that not every machine has
    string(APPEND unit "#if __has_include(<prometheus/collectable.h>)\n#include \"${ROOT}/${header}\"\n#endif\n")
  else()
    string(APPEND unit "#include \"${ROOT}/${header}\"\n")
  endif()
endforeach()
string(RANDOM LENGTH 12 name) # so that two may run at once
set(unit_file $ENV{TMPDIR})
if(NOT unit_file)
  set(unit_file /tmp)
endif()
string(APPEND unit_file /brownout-tidy-${name}.cpp)
file(WRITE ${unit_file} "${unit}")
execute_process(COMMAND ${clang_tidy} --quiet --config-file=${ROOT}/.clang-tidy ${unit_file} --
                        -std=c++20 -I${ROOT}/include
                RESULT_VARIABLE status OUTPUT_VARIABLE found ERROR_VARIABLE errors)
file(REMOVE ${unit_file})

function(report file line match)
  string(REGEX MATCH "include/(brownout/[^:]+):([0-9]+):[0-9]+: (error|warning): ([^\n]+)" match "${match}")
  violation(include/${CMAKE_MATCH_1} ${CMAKE_MATCH_2} "${CMAKE_MATCH_4}")
endfunction()
for_each_match(tidy "\n${found}" "\n[^\n:]*include/brownout/[^\n:]+:[0-9]+:[0-9]+: (error|warning): [^\n]+" report)
get_property(violations GLOBAL PROPERTY violations)
if(NOT status EQUAL 0 AND NOT violations)
  message(FATAL_ERROR "clang-tidy failed:\n${found}${errors}")
endif()

finish()
