# SPDX-License-Identifier: BSL-1.0
# Proves that static.headers can fail: in a copy of the project, a header that needs another one and does not include
# it must not compile alone. -DROOT=<project> -DWORK=<directory> -DGENERATOR=<name> -DCOMPILER=<path>
cmake_minimum_required(VERSION 3.24)

file(REMOVE_RECURSE ${WORK})
file(COPY ${ROOT}/include ${ROOT}/cmake ${ROOT}/CMakeLists.txt ${ROOT}/LICENSE DESTINATION ${WORK}/tree)
# One header is enough beside the planted one.
file(REMOVE_RECURSE ${WORK}/tree/include/brownout)
foreach(header version.hpp core/outcome.hpp)
  configure_file(${ROOT}/include/brownout/${header} ${WORK}/tree/include/brownout/${header} COPYONLY)
endforeach()

execute_process(COMMAND ${CMAKE_COMMAND} -S ${WORK}/tree -B ${WORK}/build -G ${GENERATOR}
                        -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_VERIFY_INTERFACE_HEADER_SETS=ON
                        -DBROWNOUT_BUILD_TESTS=OFF -DBROWNOUT_BUILD_EXAMPLES=OFF
                OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${WORK}/build --target all_verify_interface_header_sets
                OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)

file(WRITE ${WORK}/tree/include/brownout/core/planted.hpp "#pragma once\ninline std::vector<int> planted;\n")
execute_process(COMMAND ${CMAKE_COMMAND} --build ${WORK}/build --target all_verify_interface_header_sets
                RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(status EQUAL 0)
  message(FATAL_ERROR "a header that does not compile alone went unnoticed:\n${output}")
endif()
if(NOT output MATCHES "core/planted\\.hpp:2:[0-9]+: error: ")
  message(FATAL_ERROR "it failed for another reason:\n${output}")
endif()
file(REMOVE_RECURSE ${WORK})
