# SPDX-License-Identifier: BSL-1.0
# The unit tests compile against the single header: all that they use is there. They are one program here, which is not
# linked, so that it takes less than a minute. -DSOURCE=<checkout> -DWORK=<directory> -DCOMPILER=<path>
include(${CMAKE_CURRENT_LIST_DIR}/common.cmake)

set(unit ${SOURCE}/tests/unit)
file(REMOVE_RECURSE ${WORK})
generate(all ${WORK}/brownout.hpp)
write_forwarders(${WORK}/brownout.hpp ${WORK}/include)

file(GLOB_RECURSE tests ${unit}/*.test.cpp)
list(FILTER tests EXCLUDE REGEX "/unit/(asio|prometheus_cpp|staging)/") # of other targets, and of the example server
list(FILTER tests EXCLUDE REGEX "/breaker/(allocation|lifetimes|no_exceptions)\\.test") # programs of their own
list(FILTER tests EXCLUDE REGEX "/testing/exploration\\.test") # the single header does not hold explore()
set(includes "")
set(files "")
foreach(test IN LISTS tests)
  file(STRINGS ${test} lines REGEX "^#include ")
  list(APPEND includes ${lines})
  string(MD5 name ${test})
  string(APPEND files "namespace file_${name} {\n#include \"${test}\"\n}\n")
endforeach()
list(LENGTH tests count)
if(count LESS 100)
  message(FATAL_ERROR "only ${count} files of unit tests are in ${unit}")
endif()
# Includes first, because files are in namespaces.
list(REMOVE_DUPLICATES includes)
list(JOIN includes "\n" includes)
file(WRITE ${WORK}/all.cpp "${includes}\n${files}")
set(directories ${tests})
list(TRANSFORM directories REPLACE "/[^/]*$" "")
list(REMOVE_DUPLICATES directories)
list(TRANSFORM directories PREPEND -I)
execute_process(COMMAND ${COMPILER} -std=c++20 -fsyntax-only -I${WORK}/include -I${SOURCE}/tests
                        ${directories} ${WORK}/all.cpp
                COMMAND_ERROR_IS_FATAL ANY)
message(STATUS "${count} files of unit tests compile against the single header")
