# SPDX-License-Identifier: BSL-1.0
# Installs brownout into a prefix and moves that elsewhere: a package that can be relocated holds no path of the
# machine it was made on. -DSOURCE=<checkout> -DWORK=<directory> -DGENERATOR=<name> -DCOMPILER=<path>; with -DCORE_ONLY=ON
# the core alone, while neither Boost nor fmt can be found.
cmake_minimum_required(VERSION 3.24)

set(options -DBROWNOUT_BUILD_TESTS=OFF -DBROWNOUT_BUILD_EXAMPLES=OFF -DCMAKE_CXX_COMPILER=${COMPILER})
if(CORE_ONLY)
  list(APPEND options -DBROWNOUT_CORE_ONLY=ON -DCMAKE_DISABLE_FIND_PACKAGE_Boost=ON -DCMAKE_DISABLE_FIND_PACKAGE_fmt=ON)
endif()
file(REMOVE_RECURSE ${WORK})
execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE} -B ${WORK}/build -G ${GENERATOR} ${options}
                        -DCMAKE_INSTALL_PREFIX=${WORK}/made_here
                OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --install ${WORK}/build OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
file(RENAME ${WORK}/made_here ${WORK}/prefix)

# Whatever an installed header includes is installed too.
file(GLOB_RECURSE headers RELATIVE ${WORK}/prefix/include ${WORK}/prefix/include/*)
foreach(header IN LISTS headers)
  file(STRINGS ${WORK}/prefix/include/${header} includes REGEX "^#include \"brownout/")
  foreach(include IN LISTS includes)
    string(REGEX REPLACE "^#include \"(.*)\"$" "\\1" include ${include})
    if(NOT include IN_LIST headers)
      message(FATAL_ERROR "${header} includes ${include}, which is not installed")
    endif()
  endforeach()
endforeach()

file(GLOB_RECURSE there RELATIVE ${SOURCE}/include ${SOURCE}/include/*.hpp)
if(CORE_ONLY)
  list(FILTER there INCLUDE REGEX "^brownout/(core|breaker|testing)/|^brownout/version.hpp$")
  foreach(header IN LISTS there)
    if(NOT header IN_LIST headers)
      message(FATAL_ERROR "${header} belongs to the core and is not installed")
    endif()
  endforeach()
  list(FILTER headers EXCLUDE REGEX "^brownout/(core|window|breaker|testing)/|^brownout/version.hpp$")
  if(headers)
    message(FATAL_ERROR "not of the core, but installed with it: ${headers}")
  endif()
elseif(NOT there STREQUAL headers)
  message(FATAL_ERROR "installed: ${headers}\nthere are: ${there}")
endif()

file(GLOB_RECURSE scripts ${WORK}/prefix/*.cmake)
foreach(script IN LISTS scripts)
  file(READ ${script} text)
  foreach(path ${SOURCE} ${WORK})
    string(FIND "${text}" "${path}" at)
    if(NOT at EQUAL -1)
      message(FATAL_ERROR "${script} names ${path}")
    endif()
  endforeach()
endforeach()
