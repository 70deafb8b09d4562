# SPDX-License-Identifier: BSL-1.0
# What including an umbrella costs a user, in lines after the preprocessor: seconds differ from machine to machine, these
# do not. Another compiler has another standard library, so without GCC 12: skipped.
include(${CMAKE_CURRENT_LIST_DIR}/checks.cmake)

find_program(gcc NAMES g++-12 g++)
set(version "none")
if(gcc)
  execute_process(COMMAND ${gcc} -dumpversion OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE)
endif()
if(NOT version MATCHES "^12")
  message("SKIPPED: needs GCC 12, found: ${version}")
  return()
endif()

function(count_lines header out)
  execute_process(COMMAND ${CMAKE_COMMAND} -E echo "#include <${header}>"
                  COMMAND ${gcc} -x c++ -std=c++20 -E -I${ROOT}/include -
                  COMMAND wc -l
                  OUTPUT_VARIABLE lines OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  read_source(include/${header} text) # counts it
  set(${out} ${lines} PARENT_SCOPE)
endfunction()

function(expect_at_most budget lines header)
  if(lines GREATER budget)
    math(EXPR excess "${lines} - ${budget}")
    violation(include/${header} 1 "${lines} lines with all that it includes${ARGN}, ${excess} over the budget of ${budget}")
  endif()
endfunction()

# 117,000 of these lines are headers of the standard library: <chrono> alone has 46,000. <random> and the <cmath> that it
# includes have 17,500: only std::random_device gives the registry secret hashes. <functional> has 12,000 and <algorithm>
# 11,400. Our own are 9,600.
count_lines(brownout/breaker.hpp core)
expect_at_most(130000 ${core} brownout/breaker.hpp)

# What it adds are our own headers. They need no header of the standard library that the others do not have.
count_lines(brownout/brownout.hpp all)
math(EXPR rest "${all} - ${core}")
expect_at_most(15000 ${rest} brownout/brownout.hpp " beyond brownout/breaker.hpp")

message(STATUS "brownout/breaker.hpp: ${core} lines, brownout/brownout.hpp: ${all} lines")
finish()
