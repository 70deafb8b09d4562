# SPDX-License-Identifier: BSL-1.0
# Every header begins with its licence, is included once, is short enough to be read in one go, and behaves in other
# people's programs: it is ASCII, stays in the versioned namespace, and spells what compilers spell differently by the
# macros of core/detail/compiler.hpp.
include(${CMAKE_CURRENT_LIST_DIR}/checks.cmake)

set(most_lines 350)
set(compiler_header include/brownout/core/detail/compiler.hpp)

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

  # Others take the encoding of the machine's language for the encoding of the file, and warn.
  forbid(${header} "${text}" "[^\n -~]+" "not ASCII")

  # The formatter breaks a long comment of an example, and what follows is no code.
  forbid(${header} "${text}" "\n *///      *[^\n]*[^\n/] // [^\n]*\n *///      *[^];{}()<>=:/,\n[]*\n"
         "a comment in an example goes on where code should stand")

  # Two versions in one process, or objects with and without exceptions, would share plain `brownout::` functions.
  string(REGEX REPLACE "//[^\n]*" "" code "${text}")
  forbid(${header} "${code}" "namespace brownout(::[a-z_]+)* *{"
         "the namespace is opened as brownout::inline BROWNOUT_ABI")
  string(REGEX REPLACE "\n *#([^\n\\]|\\\\\n|\\\\)*" "" declarations "${code}")
  if(declarations MATCHES "[^\n ]" AND NOT code MATCHES "\nnamespace brownout::inline BROWNOUT_ABI[a-z_:]* {\n")
    violation(${header} 1 "it declares something outside brownout::inline BROWNOUT_ABI")
  endif()

  if(NOT header STREQUAL compiler_header)
    forbid(${header} "${code}" "\\[\\[(gnu|clang|msvc)::|__attribute__|__declspec|__builtin_|no_unique_address"
           "for one compiler: use a macro of core/detail/compiler.hpp, or add one there")
  endif()
endforeach()

find_sources(others include/brownout/*)
list(REMOVE_ITEM others ${headers})
foreach(other IN LISTS others)
  violation(${other} 1 "only headers (.hpp) live here")
endforeach()

finish()
