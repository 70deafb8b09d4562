# SPDX-License-Identifier: BSL-1.0
# Every header compiles after macros of other libraries that are called like our own names: windows.h's min, Qt's
# signals and more, in hostile_macros.hpp. In GNU mode, where `linux` and `unix` are macros too.
include(${CMAKE_CURRENT_LIST_DIR}/checks.cmake)

find_program(compiler NAMES c++ g++ clang++ REQUIRED)

# What the headers need of others comes before the macros, as it would in such a program: the standard library does not
# survive them itself.
set(others "")
set(ours "")
find_sources(headers include/brownout/*.hpp)
list(FILTER headers EXCLUDE REGEX "/prometheus_cpp/") # it needs headers that not every machine has
foreach(header IN LISTS headers)
  read_source(${header} text)
  string(REGEX MATCHALL "\n#include <[^>\n]+>" includes "${text}")
  list(APPEND others ${includes})
  string(APPEND ours "#include \"${ROOT}/${header}\"\n")
endforeach()
list(REMOVE_DUPLICATES others)
string(REPLACE ";" "" others "${others}")

execute_process(COMMAND ${CMAKE_COMMAND} -E echo
                        "${others}\n#include \"${CMAKE_CURRENT_LIST_DIR}/hostile_macros.hpp\"\n${ours}"
                COMMAND ${compiler} -x c++ -std=gnu++20 -fsyntax-only -I${ROOT}/include -
                RESULT_VARIABLE status ERROR_VARIABLE found)

# One violation a file, where the first macro strikes: what follows from it is noise.
set_property(GLOBAL PROPERTY reported "")
function(report file line match)
  string(REGEX MATCH "include/(brownout/[^:]+):([0-9]+):" match "${match}")
  get_property(reported GLOBAL PROPERTY reported)
  if(NOT CMAKE_MATCH_1 IN_LIST reported)
    violation(include/${CMAKE_MATCH_1} ${CMAKE_MATCH_2} "a macro of another library has its way with this line")
    set_property(GLOBAL APPEND PROPERTY reported ${CMAKE_MATCH_1})
  endif()
endfunction()
for_each_match(compiler "\n${found}" "\n[^\n:]*include/brownout/[^\n:]+:[0-9]+:[0-9]+: [^\n]*(error:|in expansion of macro|expanded from macro)"
               report)
get_property(reported GLOBAL PROPERTY reported)
if(NOT status EQUAL 0 AND NOT reported)
  message(FATAL_ERROR "the compiler failed:\n${found}")
endif()

finish()
