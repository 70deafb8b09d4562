# SPDX-License-Identifier: BSL-1.0
# Builds the program that a page shows, as a reader would, and compares what it prints with what the page says. A block
# that is a file of it has <!-- file: NAME --> before it, one that is its output <!-- output: TARGET -->.
#
# -DROOT=<checkout> -DPAGE=<page of it> -DWORK=<directory> -DGENERATOR=<name> -DCOMPILER=<path>
# MOST_LINES: no file of the program is longer. Tests that the program's CMakeLists.txt adds are run too.
include(${CMAKE_CURRENT_LIST_DIR}/../static/checks.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/../static/markdown.cmake)

set(program ${WORK}/program)
file(REMOVE_RECURSE ${program})
set_property(GLOBAL PROPERTY outputs "")

function(take_block page line note kind block)
  if(note MATCHES "^file: ([A-Za-z0-9_.]+)$")
    set(file ${CMAKE_MATCH_1})
    if(EXISTS ${program}/${file})
      violation(${page} ${line} "${file} is shown twice")
    endif()
    file(WRITE ${program}/${file} "${block}")
    string(REGEX MATCHALL "\n" lines "${block}")
    list(LENGTH lines length)
    if(MOST_LINES AND length GREATER MOST_LINES)
      violation(${page} ${line} "${file} has ${length} lines, more than ${MOST_LINES}")
    endif()
  elseif(note MATCHES "^output: ([a-z_]+)$")
    file(WRITE ${program}/${CMAKE_MATCH_1}.expected "${block}")
    set_property(GLOBAL APPEND PROPERTY outputs "${CMAKE_MATCH_1}|${line}")
  elseif(kind MATCHES "^(cpp|cmake|c\\+\\+|cc)$" AND NOT note MATCHES "^not built: [^ ]")
    violation(${page} ${line} "a block of the kind ${kind} that is no file of the program; else say <!-- not built: why -->")
  endif()
endfunction()

# Runs a step of the reader's. What it says is shown when it fails.
function(run_step what)
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${program} RESULT_VARIABLE status OUTPUT_VARIABLE said
                  ERROR_VARIABLE said)
  if(NOT status EQUAL 0)
    violation(${PAGE} 1 "the program does not ${what}\n${said}")
    finish()
  endif()
endfunction()

read_source(${PAGE} text)
for_each_block(${PAGE} "${text}" take_block)
get_property(outputs GLOBAL PROPERTY outputs)
if(NOT outputs)
  violation(${PAGE} 1 "shows no output of a program")
  finish()
endif()

file(CREATE_LINK ${ROOT} ${program}/brownout SYMBOLIC) # where the reader has put it
run_step("configure" ${CMAKE_COMMAND} -S . -B build -G ${GENERATOR} -DCMAKE_CXX_COMPILER=${COMPILER})
run_step("build" ${CMAKE_COMMAND} --build build)
foreach(output IN LISTS outputs)
  string(REGEX MATCH "^[^|]+" target "${output}")
  string(REGEX MATCH "[0-9]+$" line "${output}")
  execute_process(COMMAND ${program}/build/${target} RESULT_VARIABLE status OUTPUT_VARIABLE printed ERROR_VARIABLE error)
  file(READ ${program}/${target}.expected expected)
  if(NOT status EQUAL 0 OR NOT printed STREQUAL expected)
    violation(${PAGE} ${line} "${target} does not print this, but (exit status ${status}):\n${printed}${error}")
  endif()
endforeach()
if(EXISTS ${program}/build/CTestTestfile.cmake)
  get_filename_component(bin ${CMAKE_COMMAND} DIRECTORY)
  run_step("pass its tests" ${bin}/ctest --test-dir build --output-on-failure --no-tests=error)
endif()

finish()
