# SPDX-License-Identifier: BSL-1.0
# The assets of a release are complete, the same bytes each time, and of no other version than that of the headers.
# -DSOURCE=<checkout> -DWORK=<directory>
cmake_minimum_required(VERSION 3.24)

if(NOT EXISTS ${SOURCE}/.git)
  message("SKIPPED: needs a checkout of Git")
  return()
endif()
file(REMOVE_RECURSE ${WORK})
file(STRINGS ${SOURCE}/include/brownout/version.hpp version REGEX "^#define BROWNOUT_VERSION_")
string(REGEX REPLACE ".*MAJOR ([0-9]+).*MINOR ([0-9]+).*PATCH ([0-9]+).*" "\\1.\\2.\\3" version "${version}")
set(script ${SOURCE}/cmake/packaging/release-assets)

set(zone_of_a UTC)
set(zone_of_b Asia/Tokyo)
foreach(once a b)
  execute_process(COMMAND ${CMAKE_COMMAND} -E env TZ=${zone_of_${once}} ${script} ${version} ${WORK}/${once}
                  OUTPUT_VARIABLE notes ERROR_QUIET COMMAND_ERROR_IS_FATAL ANY)
  file(READ ${WORK}/${once}/SHA256SUMS sums_of_${once})
endforeach()
if(NOT sums_of_a STREQUAL sums_of_b)
  message(FATAL_ERROR "the same commit gave other bytes:\n${sums_of_a}${sums_of_b}")
endif()
if(NOT notes MATCHES "### ")
  message(FATAL_ERROR "the notes hold no part of the changelog: ${notes}")
endif()
foreach(asset brownout-${version} brownout-${version}-single-headers)
  file(ARCHIVE_EXTRACT INPUT ${WORK}/a/${asset}.tar.xz DESTINATION ${WORK}/read)
endforeach()
foreach(file -single-headers/brownout.hpp -single-headers/brownout-core.hpp -single-headers/LICENSE
             /CMakeLists.txt /include/brownout/brownout.hpp)
  if(NOT EXISTS ${WORK}/read/brownout-${version}${file})
    message(FATAL_ERROR "the assets do not hold brownout-${version}${file}")
  endif()
endforeach()

execute_process(COMMAND ${script} 99.0.0 ${WORK}/other RESULT_VARIABLE status ERROR_VARIABLE said OUTPUT_QUIET)
if(NOT status EQUAL 1 OR NOT said MATCHES "version.hpp says ${version}, not 99.0.0" OR EXISTS ${WORK}/other)
  message(FATAL_ERROR "another version ended with ${status}: ${said}")
endif()
message(STATUS "the assets of ${version} are complete, and the same twice")
