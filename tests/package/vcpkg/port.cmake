# SPDX-License-Identifier: BSL-1.0
# Runs cmake/packaging/vcpkg/portfile.cmake. vcpkg is no package of a distribution, so the functions below stand for its
# own: they do to the installation what those would do. It ends in ${WORK}/prefix.
# -DSOURCE=<checkout> -DWORK=<directory> -DGENERATOR=<name> -DCOMPILER=<path>
cmake_minimum_required(VERSION 3.24)

set(port_dir ${SOURCE}/cmake/packaging/vcpkg)
set(PORT brownout)
set(CURRENT_PACKAGES_DIR ${WORK}/prefix)

function(vcpkg_cmake_configure)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "SOURCE_PATH" "OPTIONS")
  # Without the feature asio, vcpkg has not installed Boost.
  list(APPEND arg_OPTIONS -DCMAKE_DISABLE_FIND_PACKAGE_Boost=ON -DCMAKE_DISABLE_FIND_PACKAGE_fmt=ON)
  execute_process(COMMAND ${CMAKE_COMMAND} -S ${arg_SOURCE_PATH} -B ${WORK}/build -G ${GENERATOR}
                          -DCMAKE_INSTALL_PREFIX=${CURRENT_PACKAGES_DIR} -DCMAKE_CXX_COMPILER=${COMPILER}
                          --no-warn-unused-cli ${arg_OPTIONS}
                  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
endfunction()

function(vcpkg_cmake_install)
  execute_process(COMMAND ${CMAKE_COMMAND} --install ${WORK}/build OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# CMake's package moves to share/<port>, two levels below the prefix.
function(vcpkg_cmake_config_fixup)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "CONFIG_PATH" "")
  if(NOT EXISTS ${CURRENT_PACKAGES_DIR}/${arg_CONFIG_PATH}/${PORT}-config.cmake)
    message(FATAL_ERROR "there is no CMake package in ${arg_CONFIG_PATH}")
  endif()
  file(RENAME ${CURRENT_PACKAGES_DIR}/${arg_CONFIG_PATH} ${CURRENT_PACKAGES_DIR}/share/${PORT})
  file(REMOVE_RECURSE ${CURRENT_PACKAGES_DIR}/share/cmake)
  file(GLOB scripts ${CURRENT_PACKAGES_DIR}/share/${PORT}/*.cmake)
  set(up "get_filename_component(_IMPORT_PREFIX \"\${_IMPORT_PREFIX}\" PATH)\n")
  foreach(script IN LISTS scripts)
    file(READ ${script} text)
    string(REPLACE "${up}${up}${up}" "${up}${up}" text "${text}")
    string(REPLACE "\${CMAKE_CURRENT_LIST_DIR}/../../../" "\${CMAKE_CURRENT_LIST_DIR}/../../" text "${text}")
    file(WRITE ${script} "${text}")
  endforeach()
endfunction()

function(vcpkg_fixup_pkgconfig)
  file(GLOB_RECURSE files ${CURRENT_PACKAGES_DIR}/*.pc)
  if(NOT files)
    message(FATAL_ERROR "there is no file of pkg-config")
  endif()
endfunction()

function(vcpkg_install_copyright)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "" "FILE_LIST")
  configure_file(${arg_FILE_LIST} ${CURRENT_PACKAGES_DIR}/share/${PORT}/copyright COPYONLY)
endfunction()

file(REMOVE_RECURSE ${WORK})
include(${port_dir}/portfile.cmake)

# What vcpkg demands of each port.
foreach(file copyright usage ${PORT}-config.cmake)
  if(NOT EXISTS ${CURRENT_PACKAGES_DIR}/share/${PORT}/${file})
    message(FATAL_ERROR "share/${PORT}/${file} is missing")
  endif()
endforeach()
foreach(directory lib debug bin)
  if(EXISTS ${CURRENT_PACKAGES_DIR}/${directory})
    message(FATAL_ERROR "a port of headers has a directory ${directory}")
  endif()
endforeach()
if(NOT EXISTS ${CURRENT_PACKAGES_DIR}/include/brownout/brownout.hpp)
  message(FATAL_ERROR "brownout/brownout.hpp is missing")
endif()
message(STATUS "the port installs what vcpkg demands; vcpkg itself was not run")
