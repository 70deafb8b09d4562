# SPDX-License-Identifier: BSL-1.0
# The assets of a release are complete, the same bytes each time, and of no other version than that of the headers.
# -DSOURCE=<checkout> -DWORK=<directory>
cmake_minimum_required(VERSION 3.24)

if(NOT EXISTS ${SOURCE}/.git)
  message("SKIPPED: needs a checkout of Git")
  return()
endif()
file(REMOVE_RECURSE ${WORK})
execute_process(COMMAND git -C ${SOURCE} show HEAD:include/brownout/version.hpp OUTPUT_VARIABLE version
                COMMAND_ERROR_IS_FATAL ANY)
string(REGEX REPLACE ".*MAJOR ([0-9]+).*MINOR ([0-9]+).*PATCH ([0-9]+).*" "\\1.\\2.\\3" version "${version}")
set(script ${SOURCE}/cmake/packaging/release-assets)

# Once as it is, and once with what users set: a time zone, a mask of rights, options of tar, xz and Git, and files that
# are changed and not committed.
file(MAKE_DIRECTORY ${WORK})
execute_process(COMMAND git clone --quiet ${SOURCE} ${WORK}/changed COMMAND_ERROR_IS_FATAL ANY)
file(APPEND ${WORK}/changed/include/brownout/version.hpp "// not committed\n")
file(COPY ${script} DESTINATION ${WORK}/changed/cmake/packaging)
file(APPEND ${WORK}/changed/LICENSE "not committed\n")
set(settings TZ=Asia/Tokyo XZ_OPT=-T2 TAR_OPTIONS=--format=pax GIT_CONFIG_COUNT=2 GIT_CONFIG_KEY_0=tar.umask
             GIT_CONFIG_VALUE_0=0077 GIT_CONFIG_KEY_1=core.autocrlf GIT_CONFIG_VALUE_1=true)
set(run_a umask 022 && ${script} ${version} ${WORK}/a)
set(run_b umask 077 && env ${settings} ${WORK}/changed/cmake/packaging/release-assets ${version} ${WORK}/b)
foreach(once a b)
  list(JOIN run_${once} " " command)
  execute_process(COMMAND sh -c "${command}" OUTPUT_VARIABLE notes ERROR_VARIABLE warnings
                  COMMAND_ERROR_IS_FATAL ANY)
  file(READ ${WORK}/${once}/SHA256SUMS sums_of_${once})
endforeach()
if(NOT sums_of_a STREQUAL sums_of_b)
  message(FATAL_ERROR "the same commit gave other bytes:\n${sums_of_a}${sums_of_b}")
endif()
execute_process(COMMAND git -C ${SOURCE} show HEAD:CHANGELOG.md OUTPUT_VARIABLE changelog COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE "." "\\." heading "\n## ${version} ")
if(changelog MATCHES "${heading}\\([0-9]+-[0-9]+-[0-9]+\\)\n")
  set(dated TRUE)
else()
  set(dated FALSE)
endif()
if(warnings MATCHES "CHANGELOG.md gives ${version} no date")
  set(warned TRUE)
else()
  set(warned FALSE)
endif()
if(dated STREQUAL warned)
  message(FATAL_ERROR "a version has a date or a warning; dated: ${dated}, said: ${warnings}")
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

# Files without a checkout of their own, here inside that of another project, have no commit: nothing is written.
file(COPY ${WORK}/read/brownout-${version} DESTINATION ${WORK}/exported)
file(COPY ${script} DESTINATION ${WORK}/exported/brownout-${version}/cmake/packaging)
execute_process(COMMAND git init --quiet ${WORK}/exported COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${WORK}/exported/brownout-${version}/cmake/packaging/release-assets ${version} ${WORK}/other
                RESULT_VARIABLE status ERROR_VARIABLE said OUTPUT_QUIET)
if(NOT status EQUAL 1 OR NOT said MATCHES "is no checkout of Git" OR EXISTS ${WORK}/other)
  message(FATAL_ERROR "without a checkout of its own it ended with ${status}: ${said}")
endif()
message(STATUS "the assets of ${version} are complete, and the same twice")
