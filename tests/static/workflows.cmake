# SPDX-License-Identifier: BSL-1.0
# GitHub's workflows are what actionlint understands, and their actions are pinned. GitHub alone can run them.
include(${CMAKE_CURRENT_LIST_DIR}/checks.cmake)

execute_process(COMMAND ${CMAKE_CURRENT_LIST_DIR}/../../cmake/install-dependencies --where workflows
                OUTPUT_VARIABLE packages OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_VARIABLE why RESULT_VARIABLE missing)
if(missing)
  message("SKIPPED: ${why}")
  return()
endif()

find_sources(workflows .github/workflows/*)
foreach(workflow IN LISTS workflows)
  read_source(${workflow} text)
endforeach()
execute_process(COMMAND node ${CMAKE_CURRENT_LIST_DIR}/workflows/lint.mjs ${packages} ${ROOT}
                OUTPUT_VARIABLE mistakes COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE ";" "," mistakes "${mistakes}")
string(REGEX MATCHALL "[^\n]+" mistakes "${mistakes}")
foreach(mistake IN LISTS mistakes)
  string(REGEX MATCH "^([^:]*):([0-9]+): (.*)$" mistake "${mistake}")
  violation(${CMAKE_MATCH_1} ${CMAKE_MATCH_2} "${CMAKE_MATCH_3}")
endforeach()
finish()
