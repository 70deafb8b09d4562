# SPDX-License-Identifier: BSL-1.0
# brownout/brownout.hpp includes every public header but those of asio/ and testing/, and holds no code of its own.
# A header is internal, and may be left out, when all it declares is in brownout::detail.
include(${CMAKE_CURRENT_LIST_DIR}/checks.cmake)

set(umbrella include/brownout/brownout.hpp)
read_code(${umbrella} code)

find_sources(headers include/*.hpp)
list(REMOVE_ITEM headers ${umbrella})
foreach(header IN LISTS headers)
  string(REGEX REPLACE "^include/" "" name ${header})
  string(FIND "${code}" "\n#include \"${name}\"\n" included)
  if(name MATCHES "^brownout/(asio|testing)/")
    if(NOT included EQUAL -1)
      violation(${umbrella} 1 "includes ${name}, which is not for everyone")
    endif()
    continue()
  endif()
  read_code(${header} text)
  if(text MATCHES "\nnamespace brownout::detail {" AND NOT text MATCHES "\nnamespace brownout {")
    continue()
  endif()
  if(included EQUAL -1)
    violation(${header} 1 "public, but not included by brownout/brownout.hpp")
  endif()
endforeach()

function(check_line file line text)
  string(STRIP "${text}" text)
  if(NOT text MATCHES "^(#pragma once|#include \"brownout/[a-z_0-9/]+\\.hpp\")$")
    violation(${file} ${line} "the umbrella holds includes of the library's headers and nothing else")
  endif()
endfunction()
for_each_match(${umbrella} "${code}" "\n[^\n]*[^ \n][^\n]*" check_line)

finish()
