# SPDX-License-Identifier: BSL-1.0
# A plain Makefile and pkg-config build the consumer's programs. -DCONSUMER=<source> -DPREFIX=<installation>
# -DWORK=<directory> -DCOMPILER=<path> -DPROGRAMS=<names>
cmake_minimum_required(VERSION 3.24)

find_program(make NAMES make gmake)
find_program(pkg_config NAMES pkg-config pkgconf)
foreach(program make pkg_config)
  if(NOT ${program})
    message("SKIPPED: needs ${program}")
    return()
  endif()
endforeach()

file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})
set(ENV{PKG_CONFIG_PATH} ${PREFIX}/share/pkgconfig:$ENV{PKG_CONFIG_PATH})
set(package_of_breaker brownout-core)
set(package_of_features brownout)
set(package_of_timed brownout-asio)
foreach(program IN LISTS PROGRAMS)
  set(package ${package_of_${program}})
  execute_process(COMMAND ${pkg_config} --validate ${package} COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND ${make} -s -f ${CMAKE_CURRENT_LIST_DIR}/consumer/Makefile ${program} CXX=${COMPILER}
                          PACKAGE=${package} VPATH=${CONSUMER}
                  WORKING_DIRECTORY ${WORK} COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND ${WORK}/${program} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
