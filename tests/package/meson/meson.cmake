# SPDX-License-Identifier: BSL-1.0
# A project that builds with Meson uses brownout. -DSOURCE=<checkout> -DWORK=<directory> -DCOMPILER=<path>
#
#     -DHOW=subproject   brownout is a directory in subprojects/; all of it is used
#     -DHOW=wrap         a wrap file brings an archive, from a cache: nothing is downloaded; the core alone is used
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
file(COPY ${CMAKE_CURRENT_LIST_DIR}/meson.build ${CMAKE_CURRENT_LIST_DIR}/meson_options.txt DESTINATION ${project})
foreach(program breaker features)
  file(COPY ${CMAKE_CURRENT_LIST_DIR}/../consumer/${program}.cpp DESTINATION ${project})
endforeach()
file(STRINGS ${SOURCE}/include/brownout/version.hpp version REGEX "^#define BROWNOUT_VERSION_")
string(REGEX REPLACE ".*MAJOR ([0-9]+).*MINOR ([0-9]+).*PATCH ([0-9]+).*" "\\1.\\2.\\3" version "${version}")

if(HOW STREQUAL "subproject")
  set(programs breaker features)
  file(COPY ${SOURCE}/include ${packaging}/meson.build ${packaging}/meson_options.txt DESTINATION ${subprojects}/brownout)
else()
  set(programs breaker)
  set(options -Dall=false -Dbrownout:core_only=true)
  set(archive ${subprojects}/packagecache/brownout-${version}.tar.gz)
  file(COPY ${SOURCE}/include ${SOURCE}/LICENSE DESTINATION ${WORK}/brownout-${version})
  file(MAKE_DIRECTORY ${subprojects}/packagecache)
  execute_process(COMMAND ${CMAKE_COMMAND} -E tar czf ${archive} brownout-${version} WORKING_DIRECTORY ${WORK}
                  COMMAND_ERROR_IS_FATAL ANY)
  file(SHA256 ${archive} sha256)
  set(url https://brownout.invalid/brownout.tar.gz) # no such host
  configure_file(${packaging}/brownout.wrap.in ${subprojects}/brownout.wrap @ONLY)
  file(COPY ${packaging}/meson.build ${packaging}/meson_options.txt DESTINATION ${subprojects}/packagefiles/brownout)
endif()

# Configures into ${WORK}/<build>. What Meson says is in `said`.
function(configure build)
  set(ENV{CXX} ${COMPILER})
  execute_process(COMMAND ${meson} setup ${WORK}/${build} ${project} ${ARGN}
                  RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
  set(status ${status} PARENT_SCOPE)
  set(said "${said}" PARENT_SCOPE)
endfunction()

configure(build ${options})
if(NOT status EQUAL 0 OR NOT said MATCHES "Dependency brownout-core found: YES ${version} ")
  message(FATAL_ERROR "Meson does not find brownout-core ${version}:\n${said}")
endif()
execute_process(COMMAND ${meson} compile -C ${WORK}/build OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
foreach(program IN LISTS programs)
  execute_process(COMMAND ${WORK}/build/${program} COMMAND_ERROR_IS_FATAL ANY)
endforeach()

# A project that asks for all of brownout although there is the core alone is told why it is not found.
if(HOW STREQUAL "subproject")
  configure(refused -Dbrownout:core_only=true)
  if(status EQUAL 0 OR NOT said MATCHES "core_only is set, so there is brownout-core alone")
    message(FATAL_ERROR "all of brownout is asked for with core_only, and Meson says:\n${said}")
  endif()
endif()
list(JOIN programs ", " programs)
message(STATUS "Meson built brownout ${version} as a ${HOW}, and these ran: ${programs}")
