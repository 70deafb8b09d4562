# SPDX-License-Identifier: BSL-1.0
# Runs -DPROGRAM=<executable> and compares what it prints with the comment at the end of -DSOURCE=<file>: the output
# that a reader is shown is the output that there is.
cmake_minimum_required(VERSION 3.24)

file(READ ${SOURCE} text)
string(FIND "${text}" "\n// Output:\n" at REVERSE)
if(at EQUAL -1)
  message(FATAL_ERROR "${SOURCE} does not end with its output")
endif()
string(SUBSTRING "${text}" ${at} -1 expected)
string(REGEX REPLACE "^\n// Output:" "" expected "${expected}")
string(REGEX REPLACE "\n// ?" "\n" expected "${expected}")

execute_process(COMMAND ${PROGRAM} OUTPUT_VARIABLE printed COMMAND_ERROR_IS_FATAL ANY)
if(NOT "\n${printed}" STREQUAL expected)
  message(FATAL_ERROR "printed:\n${printed}\nexpected:${expected}")
endif()
