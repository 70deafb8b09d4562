# SPDX-License-Identifier: BSL-1.0
# Builds and installs the library `shop`, moves the installation, and builds and runs a program that finds it.
# -DSOURCE=<its source> -DWORK=<directory> -DGENERATOR=<name> -DCOMPILER=<path>, and either -DPREFIX=<an installed
# brownout> or -DBROWNOUT_SOURCE=<checkout>
cmake_minimum_required(VERSION 3.24)

set(compiler -G ${GENERATOR} -DCMAKE_CXX_COMPILER=${COMPILER})
file(REMOVE_RECURSE ${WORK})

function(run)
  execute_process(COMMAND ${ARGN} OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
endfunction()

set(ENV{CMAKE_PREFIX_PATH} ${PREFIX})
run(${CMAKE_COMMAND} -S ${SOURCE} -B ${WORK}/shop ${compiler} -DBROWNOUT_SOURCE=${BROWNOUT_SOURCE})
run(${CMAKE_COMMAND} --build ${WORK}/shop)
run(${CMAKE_COMMAND} --install ${WORK}/shop --prefix ${WORK}/made_here)
file(RENAME ${WORK}/made_here ${WORK}/prefix)
# Each has its own place for its licence: the second would overwrite the first.
file(READ ${WORK}/prefix/share/doc/shop/LICENSE license)
if(NOT license STREQUAL "the licence of shop\n" OR BROWNOUT_SOURCE AND NOT EXISTS ${WORK}/prefix/share/doc/brownout/LICENSE)
  message(FATAL_ERROR "shop and brownout do not both have their licence")
endif()

set(ENV{CMAKE_PREFIX_PATH} ${WORK}/prefix:${PREFIX})
run(${CMAKE_COMMAND} -S ${SOURCE}/user -B ${WORK}/user ${compiler})
run(${CMAKE_COMMAND} --build ${WORK}/user)
run(${WORK}/user/user)
