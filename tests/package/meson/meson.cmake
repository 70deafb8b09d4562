# SPDX-License-Identifier: BSL-1.0
# A project that builds with Meson uses brownout. -DSOURCE=<checkout> -DWORK=<directory> -DCOMPILER=<path>
#
#     -DHOW=subproject   brownout is a directory in subprojects/
#     -DHOW=wrap         a wrap file brings an archive, from a cache: nothing is downloaded
cmake_minimum_required(VERSION 3.24)

find_program(meson meson)
if(NOT meson)
  message("SKIPPED: needs meson")
  return()
endif()

set(packaging ${SOURCE}/cmake/packaging/meson)
set(project ${WORK}/project)
set(subprojects ${project}/subprojects)
file(REMOVE_RECURSE ${WORK})
set(programs breaker features timed)
file(COPY ${CMAKE_CURRENT_LIST_DIR}/meson.build DESTINATION ${project})
foreach(program IN LISTS programs)
  file(COPY ${CMAKE_CURRENT_LIST_DIR}/../consumer/${program}.cpp DESTINATION ${project})
endforeach()
file(STRINGS ${SOURCE}/include/brownout/version.hpp version REGEX "^#define BROWNOUT_VERSION_")
string(REGEX REPLACE ".*MAJOR ([0-9]+).*MINOR ([0-9]+).*PATCH ([0-9]+).*" "\\1.\\2.\\3" version "${version}")

if(HOW STREQUAL "subproject")
  file(COPY ${SOURCE}/include ${packaging}/meson.build DESTINATION ${subprojects}/brownout)
else()
  set(archive ${subprojects}/packagecache/brownout-${version}.tar.xz)
  file(COPY ${SOURCE}/include ${SOURCE}/LICENSE DESTINATION ${WORK}/brownout-${version})
  file(MAKE_DIRECTORY ${subprojects}/packagecache)
  execute_process(COMMAND ${CMAKE_COMMAND} -E tar cJf ${archive} brownout-${version} WORKING_DIRECTORY ${WORK}
                  COMMAND_ERROR_IS_FATAL ANY)
  file(SHA256 ${archive} sha256)
  set(url https://brownout.invalid/brownout.tar.xz) # no such host
  configure_file(${packaging}/brownout.wrap.in ${subprojects}/brownout.wrap @ONLY)
  file(COPY ${packaging}/meson.build DESTINATION ${subprojects}/packagefiles/brownout)
endif()

# Configures into ${WORK}/<build>. What Meson says is in `said`.
function(configure build)
  set(ENV{CXX} ${COMPILER})
  execute_process(COMMAND ${meson} setup ${WORK}/${build} ${project}
                  RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
  set(status ${status} PARENT_SCOPE)
  set(said "${said}" PARENT_SCOPE)
endfunction()

configure(build)
if(NOT status EQUAL 0 OR NOT said MATCHES "Dependency brownout-core found: YES ${version} ")
  message(FATAL_ERROR "Meson does not find brownout-core ${version}:\n${said}")
endif()
execute_process(COMMAND ${meson} compile -C ${WORK}/build OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
foreach(program IN LISTS programs)
  execute_process(COMMAND ${WORK}/build/${program} COMMAND_ERROR_IS_FATAL ANY)
endforeach()

# Where there is no Boost, brownout is found all the same, and a project that asks for brownout-asio is told why it is not.
set(ENV{BOOST_ROOT} ${WORK}/no_boost)
configure(refused)
if(status EQUAL 0 OR NOT said MATCHES "Dependency brownout found: YES"
   OR NOT said MATCHES "there is no brownout-asio, because Boost 1.81 or later is not found")
  message(FATAL_ERROR "brownout-asio is asked for without Boost, and Meson says:\n${said}")
endif()
list(JOIN programs ", " programs)
message(STATUS "Meson built brownout ${version} as a ${HOW}, and these ran: ${programs}")
