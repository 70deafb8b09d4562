# SPDX-License-Identifier: BSL-1.0
# Every header begins with its licence, is included once, and is short enough to be read in one go.
include(${CMAKE_CURRENT_LIST_DIR}/checks.cmake)

set(most_lines 350)

find_sources(headers include/*.hpp)
foreach(header IN LISTS headers)
  read_source(${header} text)
  if(NOT text MATCHES "^\n// SPDX-License-Identifier: BSL-1.0\n")
    violation(${header} 1 "the first line is not // SPDX-License-Identifier: BSL-1.0")
  endif()
  if(NOT text MATCHES "\n#pragma once\n")
    violation(${header} 2 "there is no #pragma once")
  endif()
  string(LENGTH "${text}" length)
  line_of("${text}" ${length} lines)
  math(EXPR lines "${lines} - 1") # the newline that read_source put in front
  if(lines GREATER most_lines)
    violation(${header} ${lines} "${lines} lines; a header has ${most_lines} at most")
  endif()
endforeach()

find_sources(others include/brownout/*)
list(REMOVE_ITEM others ${headers})
foreach(other IN LISTS others)
  violation(${other} 1 "only headers (.hpp) live here")
endforeach()

finish()
