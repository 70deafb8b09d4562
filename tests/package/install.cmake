# SPDX-License-Identifier: BSL-1.0
# Installs brownout into a prefix and moves that elsewhere: a package that can be relocated holds no path of the
# machine it was made on. Neither Boost nor fmt can be found: an installation needs no library. -DSOURCE=<checkout> -DWORK=<directory> -DGENERATOR=<name> -DCOMPILER=<path>
#
#     -DCOMPONENT=brownout_core     this component is installed, not all
#     -DPLACE=a[1]/detail           the checkout is in this directory
#     -DVERSION=1.2.0               the checkout, which needs a PLACE, is of this version
#     -DABSOLUTE_INCLUDEDIR=ON      the headers go to a directory outside the prefix, as in Nix; nothing is moved
cmake_minimum_required(VERSION 3.24)

set(core_headers "^brownout/(core|detector|breaker|registry|guard|testing)/|^brownout/(breaker|version).hpp$")

set(options -DBROWNOUT_BUILD_TESTS=OFF -DBROWNOUT_BUILD_EXAMPLES=OFF -DCMAKE_CXX_COMPILER=${COMPILER}
            -DCMAKE_DISABLE_FIND_PACKAGE_Boost=ON -DCMAKE_DISABLE_FIND_PACKAGE_fmt=ON --no-warn-unused-cli)
set(made_here ${WORK}/made_here)
set(include ${WORK}/prefix/include)
if(ABSOLUTE_INCLUDEDIR)
  set(made_here ${WORK}/prefix)
  set(include ${WORK}/headers)
  list(APPEND options -DCMAKE_INSTALL_INCLUDEDIR=${include})
endif()
if(COMPONENT)
  set(component --component ${COMPONENT})
endif()
file(REMOVE_RECURSE ${WORK})
set(checkout ${SOURCE})
if(PLACE)
  set(checkout ${WORK}/${PLACE})
  file(COPY ${SOURCE}/CMakeLists.txt ${SOURCE}/LICENSE ${SOURCE}/cmake ${SOURCE}/include DESTINATION "${checkout}")
endif()
if(VERSION)
  string(REPLACE "." ";" numbers ${VERSION})
  file(READ ${checkout}/include/brownout/version.hpp text)
  set(names MAJOR MINOR PATCH)
  foreach(name number IN ZIP_LISTS names numbers)
    string(REGEX REPLACE "(VERSION_${name}) [0-9]+" "\\1 ${number}" text "${text}")
  endforeach()
  file(WRITE ${checkout}/include/brownout/version.hpp "${text}")
endif()
execute_process(COMMAND ${CMAKE_COMMAND} -S ${checkout} -B ${WORK}/build -G ${GENERATOR} ${options}
                        -DCMAKE_INSTALL_PREFIX=${made_here}
                OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --install ${WORK}/build ${component} OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
if(NOT ABSOLUTE_INCLUDEDIR)
  file(RENAME ${made_here} ${WORK}/prefix)
endif()

# Whatever an installed header includes is installed too.
file(GLOB_RECURSE headers RELATIVE ${include} ${include}/*)
foreach(header IN LISTS headers)
  file(STRINGS ${include}/${header} includes REGEX "^#include \"brownout/")
  foreach(line IN LISTS includes)
    string(REGEX REPLACE "^#include \"(.*)\"$" "\\1" included ${line})
    if(NOT included IN_LIST headers)
      message(FATAL_ERROR "${header} includes ${included}, which is not installed")
    endif()
  endforeach()
endforeach()

file(GLOB_RECURSE there RELATIVE ${SOURCE}/include ${SOURCE}/include/*.hpp)
if(COMPONENT)
  list(FILTER there INCLUDE REGEX "${core_headers}")
  foreach(header IN LISTS there)
    if(NOT header IN_LIST headers)
      message(FATAL_ERROR "${header} belongs to the core and is not installed")
    endif()
  endforeach()
  list(FILTER headers EXCLUDE REGEX "${core_headers}")
  if(headers)
    message(FATAL_ERROR "not of the core, but installed with it: ${headers}")
  endif()
elseif(NOT there STREQUAL headers)
  message(FATAL_ERROR "installed: ${headers}\nthere are: ${there}")
endif()

# Nothing depends on the machine: a package manager may put it where all architectures share it.
file(GLOB_RECURSE of_the_machine ${WORK}/prefix/lib*/*)
if(of_the_machine)
  message(FATAL_ERROR "in a directory of one architecture: ${of_the_machine}")
endif()
if(ABSOLUTE_INCLUDEDIR)
  return() # it names the directory of its headers, and has to
endif()
file(GLOB_RECURSE scripts ${WORK}/prefix/*.cmake ${WORK}/prefix/*.pc)
foreach(script IN LISTS scripts)
  file(READ ${script} text)
  foreach(path ${SOURCE} ${WORK})
    string(FIND "${text}" "${path}" at)
    if(NOT at EQUAL -1)
      message(FATAL_ERROR "${script} names ${path}")
    endif()
  endforeach()
endforeach()
