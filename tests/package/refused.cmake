# SPDX-License-Identifier: BSL-1.0
# Configuring the consumer with these OPTIONS must fail, and say MESSAGE. -DCONSUMER=<source> -DBUILD=<directory>
cmake_minimum_required(VERSION 3.24)

separate_arguments(options UNIX_COMMAND "${OPTIONS}")
execute_process(COMMAND ${CMAKE_COMMAND} --fresh -S ${CONSUMER} -B ${BUILD} -G ${GENERATOR}
                        -DCMAKE_CXX_COMPILER=${COMPILER} -DHOW=find_package "-DREQUEST=${REQUEST}" ${options}
                RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
string(REGEX REPLACE "[ \n]+" " " said "${said}") # messages are wrapped anywhere
if(status EQUAL 0)
  message(FATAL_ERROR "accepted:\n${said}")
endif()
if(NOT said MATCHES "${MESSAGE}")
  message(FATAL_ERROR "refused, but without saying '${MESSAGE}':\n${said}")
endif()
message("${said}")
