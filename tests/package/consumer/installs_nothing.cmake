# SPDX-License-Identifier: BSL-1.0
# Installing a project that merely uses brownout installs none of brownout. -DBUILD=<its build directory>
set(prefix ${BUILD}/installed)
file(REMOVE_RECURSE ${prefix})
execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix} COMMAND_ERROR_IS_FATAL ANY)
file(GLOB_RECURSE installed ${prefix}/*)
if(installed)
  message(FATAL_ERROR "installed: ${installed}")
endif()
