# SPDX-License-Identifier: BSL-1.0
# Programs of two files use each single header: a function that is not inline would be there twice. Of the single header
# and separate headers in one file the compiler says first that this cannot be.
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

# The first error of a file with both must be ours.
function(expect_refusal one other)
  file(WRITE ${WORK}/both.cpp "#include ${one}\n#include ${other}\n")
  execute_process(COMMAND ${compiler} ${flags} -I${SOURCE}/include -fsyntax-only ${WORK}/both.cpp
                  RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
  string(REGEX MATCH "error[^\n]*" first "${said}")
  if(status EQUAL 0 OR NOT first MATCHES "include either one single header of brownout or its separate headers, not both")
    message(FATAL_ERROR "${one} and then ${other}: the first error is '${first}'")
  endif()
endfunction()
expect_refusal("\"${WORK}/core.hpp\"" "<brownout/detector/detector.hpp>")
expect_refusal("<brownout/version.hpp>" "\"${WORK}/core.hpp\"")
expect_refusal("\"${WORK}/core.hpp\"" "\"${WORK}/all.hpp\"")
message(STATUS "${COMPILER}: programs of two files ran with each single header; three mixtures of headers were refused")
