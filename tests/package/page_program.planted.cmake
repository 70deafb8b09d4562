# SPDX-License-Identifier: BSL-1.0
# Proves that page_program.cmake can fail: -DROOT=<checkout> -DPAGE=<page> -DWORK=<directory> -DGENERATOR=<name>
# -DCOMPILER=<path> -DMOST_LINES=<number>. In copies of the page, which passes, one mistake is planted at a time.
cmake_minimum_required(VERSION 3.24)

file(READ ${ROOT}/${PAGE} page)
file(REMOVE_RECURSE ${WORK})
set(planted 0)

# The page with `from` replaced by `to` must be refused, in these words.
function(expect_refusal from to expected)
  string(REPLACE "${from}" "${to}" text "${page}")
  if(text STREQUAL page)
    message(FATAL_ERROR "${PAGE} does not hold: ${from}")
  endif()
  file(WRITE ${WORK}/${PAGE} "${text}")
  file(CREATE_LINK ${ROOT}/CMakeLists.txt ${WORK}/CMakeLists.txt SYMBOLIC)
  foreach(directory include cmake)
    file(CREATE_LINK ${ROOT}/${directory} ${WORK}/${directory} SYMBOLIC)
  endforeach()
  execute_process(COMMAND ${CMAKE_COMMAND} -DROOT=${WORK} -DPAGE=${PAGE} -DWORK=${WORK}/work -DGENERATOR=${GENERATOR}
                          -DCOMPILER=${COMPILER} -DMOST_LINES=${MOST_LINES}
                          -P ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/page_program.cmake
                  RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
  string(FIND "${said}" "${expected}" at)
  if(status EQUAL 0 OR at EQUAL -1)
    message(FATAL_ERROR "not noticed: '${to}' instead of '${from}'; expected: ${expected}\n${said}")
  endif()
  math(EXPR planted "${planted} + 1")
  set(planted ${planted} PARENT_SCOPE)
endfunction()

string(REGEX MATCH "\n<!-- output: ([a-z_]+) -->\n```text\n([^\n]*)\n" shown "${page}")
set(target ${CMAKE_MATCH_1})
expect_refusal("```text\n${CMAKE_MATCH_2}\n" "```text\n${CMAKE_MATCH_2}.\n" "${target} does not print this")
expect_refusal("<!-- output: ${target} -->" "" "shows no output of a program")
expect_refusal("brownout::circuit_breaker" "brownout::circuit_braker" "the program does not build")
expect_refusal("add_subdirectory(brownout)" "add_subdirectory(brwnout)" "the program does not configure")
expect_refusal("<!-- file: main.cpp -->" "" "a block of the kind cpp that is no file of the program")
if(MOST_LINES)
  expect_refusal("int main() {\n" "\n\nint main() {\n" "more than ${MOST_LINES}")
endif()
if(page MATCHES "enable_testing")
  expect_refusal("if (!condition)" "if (condition)" "the program does not pass its tests")
endif()
message(STATUS "${planted} planted mistakes found")
file(REMOVE_RECURSE ${WORK})
