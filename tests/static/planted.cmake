# SPDX-License-Identifier: BSL-1.0
# Proves that a check can fail: -DCHECK=<name> -DROOT=<project> -DWORK=<directory>. In a copy of the real tree, which
# passes, <name>.planted.cmake plants one violation at a time; the check must refuse each and point at it.
cmake_minimum_required(VERSION 3.24)

set(copy ${WORK}/tree)
set(planted 0)

find_package(Git REQUIRED QUIET)
function(git)
  execute_process(COMMAND ${GIT_EXECUTABLE} -c core.autocrlf=false --git-dir ${WORK}/as_copied.git --work-tree ${copy} ${ARGN}
                  OUTPUT_QUIET WORKING_DIRECTORY ${copy} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

function(make_copy)
  file(REMOVE_RECURSE ${WORK})
  file(COPY ${ROOT}/include ${ROOT}/.clang-format ${ROOT}/.clang-tidy DESTINATION ${copy})
  file(COPY ${ROOT}/tests/compile_fail DESTINATION ${copy}/tests)
  file(COPY ${ROOT}/tests/static/every_template.cpp DESTINATION ${copy}/tests/static)
  if(CHECK MATCHES "^(guide_snippets|internal_headers|links|options_page|named_tests|semantics_tags|table_cells|glossary)$")
    # Those that read pages.
    file(GLOB pages ${ROOT}/*.md)
    file(COPY ${ROOT}/docs ${ROOT}/examples ${ROOT}/LICENSE ${pages} DESTINATION ${copy})
  endif()
  if(CHECK MATCHES "^(named_tests|semantics_tags)$") # those that read unit tests
    file(COPY ${ROOT}/tests/unit ${ROOT}/tests/package ${ROOT}/tests/compilers DESTINATION ${copy}/tests)
  endif()
  if(CHECK STREQUAL "guide_snippets")
    file(COPY ${ROOT}/tests/unit/guide.test.cpp DESTINATION ${copy}/tests/unit)
  endif()
  if(CHECK MATCHES "^(links|workflows)$")
    file(COPY ${ROOT}/.github ${ROOT}/cmake DESTINATION ${copy})
  endif()
  if(CHECK STREQUAL "module_names")
    file(COPY ${ROOT}/cmake/module DESTINATION ${copy}/cmake)
  endif()
  if(CHECK MATCHES "^(tidy|hostile_macros)$")
    # They compile all headers, again for each violation. One header is enough to find what is planted beside it.
    file(REMOVE_RECURSE ${copy}/include/brownout)
    foreach(header version.hpp core/outcome.hpp)
      configure_file(${ROOT}/include/brownout/${header} ${copy}/include/brownout/${header} COPYONLY)
    endforeach()
  endif()
  file(WRITE ${copy}/tests/unit/quiet.test.cpp "// SPDX-License-Identifier: BSL-1.0\n")
  git(init --quiet)
  git(add --all --force)
endfunction()

# Undoes what was planted. A new copy would take a second; Git touches only what has changed.
function(restore_copy)
  git(checkout-index --all --force --quiet)
  git(clean -dxfq)
endfunction()

function(run_check status output)
  execute_process(COMMAND ${CMAKE_COMMAND} -DROOT=${copy} -P ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/${CHECK}.cmake
                  RESULT_VARIABLE result OUTPUT_VARIABLE out ERROR_VARIABLE err)
  set(${status} ${result} PARENT_SCOPE)
  set(${output} "${out}${err}" PARENT_SCOPE)
endfunction()

# The check must now fail with exactly this one violation, and the copy is fresh again.
function(expect_violation expected)
  run_check(status output)
  if(status EQUAL 0)
    message(FATAL_ERROR "${CHECK} did not notice the planted violation; expected: ${expected}\n${output}")
  endif()
  string(FIND "${output}" "${expected}" at)
  if(at EQUAL -1 OR NOT output MATCHES "\n *1 violation\\(s\\)")
    message(FATAL_ERROR "${CHECK} failed for another reason; expected: ${expected}\n${output}")
  endif()
  math(EXPR planted "${planted} + 1")
  set(planted ${planted} PARENT_SCOPE)
  restore_copy()
endfunction()

# The check must still pass: what looks like a violation is none.
function(expect_clean what)
  run_check(status output)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${CHECK} refused what is allowed (${what}):\n${output}")
  endif()
  restore_copy()
endfunction()

# A header of ours with this body.
function(plant_header path body)
  file(WRITE ${copy}/include/brownout/${path}
       "// SPDX-License-Identifier: BSL-1.0\n#pragma once\n${body}\n")
endfunction()

make_copy()
run_check(status output)
if(output MATCHES "SKIPPED")
  message("${output}")
  return()
endif()
expect_clean("the tree as it is")
include(${CMAKE_CURRENT_LIST_DIR}/${CHECK}.planted.cmake)
if(planted EQUAL 0)
  message(FATAL_ERROR "${CHECK}.planted.cmake plants nothing")
endif()
message(STATUS "${planted} planted violations found")
file(REMOVE_RECURSE ${WORK})
