# SPDX-License-Identifier: BSL-1.0
# Conan 2 makes a package of brownout and runs the program of test_package with it. -DSOURCE=<checkout>
# -DWORK=<directory> -DCOMPILER=<path>
cmake_minimum_required(VERSION 3.24)

find_program(conan conan)
if(NOT conan)
  message("SKIPPED: needs conan")
  return()
endif()

file(REMOVE_RECURSE ${WORK})
set(ENV{CONAN_HOME} ${WORK}/home)
set(ENV{CXX} ${COMPILER})
execute_process(COMMAND ${conan} profile detect OUTPUT_QUIET ERROR_QUIET COMMAND_ERROR_IS_FATAL ANY)
# Without the option asio it needs no other package, so nothing is downloaded.
execute_process(COMMAND ${conan} create ${SOURCE}/cmake/packaging/conan --no-remote -s compiler.cppstd=20 -c tools.cmake.cmake_layout:test_folder=${WORK}/test
                RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "conan create fails:\n${said}")
endif()
message(STATUS "Conan made the package, and test_package ran with it")
