# SPDX-License-Identifier: BSL-1.0
# Every C++ file is as clang-format 14 leaves it; other versions differ in details, so without that one: skipped.
include(${CMAKE_CURRENT_LIST_DIR}/checks.cmake)

find_program(clang_format NAMES clang-format-14 clang-format)
set(version "none")
if(clang_format)
  execute_process(COMMAND ${clang_format} --version OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE)
endif()
if(NOT version MATCHES "version 14\\.")
  message("SKIPPED: needs clang-format 14, found: ${version}")
  return()
endif()

set(patterns)
foreach(directory include examples tests benchmarks)
  list(APPEND patterns ${directory}/*.hpp ${directory}/*.cpp)
endforeach()
find_sources(sources ${patterns} cmake/module/*.cppm)
foreach(source IN LISTS sources)
  read_source(${source} text) # counts it
endforeach()
execute_process(COMMAND ${clang_format} --dry-run -Werror --style=file ${sources}
                WORKING_DIRECTORY ${ROOT} RESULT_VARIABLE status ERROR_VARIABLE found)
# One violation a file, at its first line that would change.
set_property(GLOBAL PROPERTY reported "")
function(report file line match)
  string(REGEX MATCH "\n([^\n:]+):([0-9]+):" match "${match}")
  get_property(reported GLOBAL PROPERTY reported)
  if(NOT CMAKE_MATCH_1 IN_LIST reported)
    violation(${CMAKE_MATCH_1} ${CMAKE_MATCH_2} "not formatted: clang-format -i ${CMAKE_MATCH_1}")
    set_property(GLOBAL APPEND PROPERTY reported ${CMAKE_MATCH_1})
  endif()
endfunction()
for_each_match(format "\n${found}" "\n[^\n:]+:[0-9]+:[0-9]+: error: code should be clang-formatted" report)
get_property(reported GLOBAL PROPERTY reported)
if(NOT status EQUAL 0 AND NOT reported)
  message(FATAL_ERROR "clang-format failed:\n${found}")
endif()

finish()
