# SPDX-License-Identifier: BSL-1.0
# Programs of two files use each single header: a function that is not inline would be there twice. Of the single header
# and separate headers in one file the compiler says first that this cannot be, and of C++17 that it is too old.
# -DSOURCE=<checkout> -DWORK=<directory> -DCOMPILER=<path or name>
include(${CMAKE_CURRENT_LIST_DIR}/common.cmake)

find_program(compiler ${COMPILER})
if(NOT compiler)
  message("SKIPPED: needs ${COMPILER}")
  return()
endif()

set(flags -std=c++20 -Wall -Wextra -Wpedantic -Werror -pthread)
file(REMOVE_RECURSE ${WORK})
set(program_core breaker)
set(program_all features)
foreach(contents core all)
  set(single ${WORK}/${contents}.hpp)
  set(directory ${WORK}/${contents})
  generate(${contents} ${single})
  write_forwarders(${single} ${directory})
  file(WRITE ${directory}/other.cpp "#include \"${single}\"\n")
  execute_process(COMMAND ${compiler} ${flags} -I${directory} -o ${directory}/program ${directory}/other.cpp
                          ${CMAKE_CURRENT_LIST_DIR}/../consumer/${program_${contents}}.cpp
                  COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND ${directory}/program COMMAND_ERROR_IS_FATAL ANY)
endforeach()

# The first error of a file that includes these must be ours.
function(expect_first_error error standard)
  string(REPLACE ";" "\n#include " includes "${ARGN}")
  file(WRITE ${WORK}/refused.cpp "#include ${includes}\n")
  execute_process(COMMAND ${compiler} ${flags} -std=${standard} -I${SOURCE}/include -fsyntax-only ${WORK}/refused.cpp
                  RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
  string(REGEX MATCH "error[^\n]*" first "${said}")
  if(status EQUAL 0 OR NOT first MATCHES "${error}")
    message(FATAL_ERROR "${ARGN} in ${standard}: the first error is '${first}', not '${error}'")
  endif()
endfunction()
set(mixture "include either one single header of brownout or its separate headers, not both")
expect_first_error("${mixture}" c++20 "\"${WORK}/core.hpp\"" "<brownout/detector/detector.hpp>")
expect_first_error("${mixture}" c++20 "<brownout/version.hpp>" "\"${WORK}/core.hpp\"")
expect_first_error("${mixture}" c++20 "\"${WORK}/core.hpp\"" "\"${WORK}/all.hpp\"")

# GCC 12 and Clang 14 compile C++17 if they are not told otherwise, as a user of pkg-config may forget.
foreach(header "<brownout/breaker.hpp>" "<brownout/brownout.hpp>" "<brownout/testing/manual_clock.hpp>" "\"${WORK}/all.hpp\"")
  expect_first_error("brownout needs C\\+\\+20" c++17 "${header}")
endforeach()
message(STATUS "${COMPILER}: programs of two files ran with each single header; three mixtures of headers and C++17 were refused")
