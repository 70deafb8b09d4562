# SPDX-License-Identifier: BSL-1.0
# Every concept of the library has a rejected example: a program in tests/compile_fail/ that must say its name.
include(${CMAKE_CURRENT_LIST_DIR}/checks.cmake)

set(examples "")
find_sources(programs tests/compile_fail/*.cpp)
foreach(program IN LISTS programs)
  read_source(${program} text)
  string(APPEND examples "${text}")
endforeach()

function(check_concept file line declaration)
  string(REGEX REPLACE "^.* " "" name "${declaration}")
  if(NOT examples MATCHES "\n// must say: ${name}\n")
    violation(${file} ${line} "no program in tests/compile_fail/ must say '${name}'")
  endif()
endfunction()

find_sources(headers include/*.hpp)
foreach(header IN LISTS headers)
  read_code(${header} code)
  for_each_match(${header} "${code}" "\nconcept [a-z_0-9]+" check_concept)
endforeach()

finish()
