# SPDX-License-Identifier: BSL-1.0
# The module exports every public name, and no other: what a user can write after `brownout::`. Clang says what that is,
# by completing the code as it does for an editor; without Clang: skipped.
include(${CMAKE_CURRENT_LIST_DIR}/checks.cmake)

find_program(clang NAMES clang++ clang++-19 clang++-18 clang++-16 clang++-14)
if(NOT clang)
  message("SKIPPED: needs Clang")
  return()
endif()

set(module cmake/module/brownout.cppm)
read_code(${module} text)
string(REGEX MATCHALL "\n#include <brownout/[^\n]+" includes "${text}")
string(REPLACE ";" "" includes "${includes}")

function(find_public_names namespace out)
  string(REGEX MATCHALL "\n" newlines "${includes}")
  list(LENGTH newlines line)
  math(EXPR line "${line} + 2")
  string(LENGTH "using ${namespace}::" column)
  math(EXPR column "${column} + 1")
  execute_process(COMMAND ${CMAKE_COMMAND} -E echo "${includes}\nusing ${namespace}::"
                  COMMAND ${clang} -x c++ -std=c++20 -fsyntax-only -I${ROOT}/include
                          -Xclang -code-completion-at=-:${line}:${column} -
                  OUTPUT_VARIABLE completions ERROR_VARIABLE errors)
  # A line is `COMPLETION: name : how to use it`. An overloaded name has several; those of the constructors of a class
  # template have arguments after the name. Brackets and semicolons would make a list of CMake of what is left out here.
  string(REGEX REPLACE "[][;]" "" completions "\n${completions}")
  string(REGEX MATCHALL "\nCOMPLETION: ([a-z_0-9]+|operator[^ \n]+) :" found "${completions}")
  list(TRANSFORM found REPLACE "^\nCOMPLETION: (.*) :$" "\\1")
  list(REMOVE_DUPLICATES found)
  list(FILTER found EXCLUDE REGEX "^(detail|v[0-9]+_[0-9]+.*)$") # internal, and the inline namespace of a version
  if(NOT found)
    message(FATAL_ERROR "Clang knows no name in ${namespace}:\n${errors}")
  endif()
  set(${out} ${found} PARENT_SCOPE)
endfunction()

# `public`: the names that the headers have in `namespace`.
function(check_export file line match)
  if(match MATCHES "using ${namespace}::([^:]+);")
    if(NOT CMAKE_MATCH_1 IN_LIST public)
      violation(${file} ${line} "${namespace}::${CMAKE_MATCH_1} is no public name")
    endif()
    set_property(GLOBAL APPEND PROPERTY exported ${CMAKE_MATCH_1})
  elseif(match MATCHES "namespace ${namespace}::([^: ]+) {")
    set_property(GLOBAL APPEND PROPERTY exported ${CMAKE_MATCH_1})
  endif()
endfunction()

function(check_namespace file line match)
  string(REGEX REPLACE "^\nexport namespace ([^ ]+) {$" "\\1" namespace "${match}")
  find_public_names(${namespace} public)
  set_property(GLOBAL PROPERTY exported "")
  for_each_match(${file} "${text}" "\n(using|export namespace) [^\n]+" check_export)
  get_property(exported GLOBAL PROPERTY exported)
  foreach(name IN LISTS public)
    if(NOT name IN_LIST exported)
      violation(${file} ${line} "${namespace}::${name} is public, but not exported")
    endif()
  endforeach()
endfunction()
for_each_match(${module} "${text}" "\nexport namespace [^\n]+" check_namespace)

finish()
