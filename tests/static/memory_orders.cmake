# SPDX-License-Identifier: BSL-1.0
# Every access to an atomic says its memory order, and none is seq_cst; no fences, which race detectors can't see.
include(${CMAKE_CURRENT_LIST_DIR}/checks.cmake)

set(operations "load|store|exchange|compare_exchange_(weak|strong)|fetch_(add|sub|and|or|xor)|test_and_set")

function(check_operation file line call)
  if(NOT call MATCHES "memory_order_")
    violation(${file} ${line} "the default memory order is seq_cst: say which one it has to be")
  endif()
endfunction()

function(check_declaration file line declaration)
  string(REGEX REPLACE "^.*[ &*]([a-z_0-9]+)$" "\\1" name "${declaration}")
  # Named, and then neither initialised nor asked for a member: an operator or a conversion, both seq_cst.
  forbid(${file} "${declaring_code}" "[^A-Za-z0-9_.>]${name}[ \n]*(=|[-+]=|\\+\\+|--[^>]|[|&^]=|\\)|==|!=)"
         "'${name}' is atomic, and its operators and conversions are seq_cst")
  forbid(${file} "${declaring_code}" "(\\+\\+|--)${name}[^A-Za-z0-9_]"
         "'${name}' is atomic, and its operators and conversions are seq_cst")
endfunction()

find_sources(headers include/*.hpp)
# It is what others access, with the defaults of std::atomic.
list(REMOVE_ITEM headers include/brownout/testing/scheduled_atomics.hpp)
foreach(header IN LISTS headers)
  read_code(${header} code)
  forbid(${header} "${code}" "seq_cst" "seq_cst hides which order is needed")
  forbid(${header} "${code}" "atomic_(thread|signal)_fence" "race detectors can't see a fence")
  # Its clear() can't be told from a container's, so the rule below could not be kept for it.
  forbid(${header} "${code}" "atomic_flag" "use std::atomic<bool>: every access says its order")
  # A call's text up to the end of its statement: the arguments may stand on several lines.
  for_each_match(${header} "${code}" "(\\.|->)(${operations})[ \n]*\\([^;{]*" check_operation)
  set(declaring_code "${code}")
  for_each_match(${header} "${code}" "atomic<[^;{}()=]*>[&*]* +[a-z_][a-z_0-9]*" check_declaration)
endforeach()

finish()
