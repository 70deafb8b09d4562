# SPDX-License-Identifier: BSL-1.0
# -DCOMPILER=<path> -DINCLUDE=<directory>[:<directory>...] -DPROGRAM=<source>
#
# The program compiles without a word, and with MISTAKE defined it does not: so the mistake is what fails, and nothing
# around it. Each of its lines `// must say: <regular expression>` is found in what the compiler then says.
cmake_minimum_required(VERSION 3.24)

set(ENV{LC_ALL} C) # plain quotes in GCC's messages
string(REPLACE ":" ";-I" include "-I${INCLUDE}")
set(compile ${COMPILER} -std=c++20 -fsyntax-only -Wall -Wextra -Wpedantic -Werror ${include})

execute_process(COMMAND ${compile} ${PROGRAM} RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "does not compile even without the mistake:\n${said}")
endif()

execute_process(COMMAND ${compile} -DMISTAKE ${PROGRAM} RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(status EQUAL 0)
  message(FATAL_ERROR "the mistake compiles")
endif()

file(STRINGS ${PROGRAM} expectations REGEX "^// must say: ")
if(NOT expectations)
  message(FATAL_ERROR "the program has no line: // must say: <regular expression>")
endif()
foreach(expectation IN LISTS expectations)
  string(REPLACE "// must say: " "" expectation "${expectation}")
  if(NOT said MATCHES "${expectation}")
    message(FATAL_ERROR "the compiler does not say '${expectation}' but:\n${said}")
  endif()
endforeach()
message("${said}")
