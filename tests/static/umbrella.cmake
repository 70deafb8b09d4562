# SPDX-License-Identifier: BSL-1.0
# Every public header is in an umbrella, and no internal one: brownout/breaker.hpp has those of brownout::core, and
# brownout/brownout.hpp includes it and has the others. asio/, prometheus_cpp/ and testing/ are in none. The umbrellas hold no code.
# This is the only list of headers: CMake and the other checks look into the rooms.
include(${CMAKE_CURRENT_LIST_DIR}/checks.cmake)

set(core_rooms core detector breaker registry)
set(breaker_umbrella include/brownout/breaker.hpp)
set(full_umbrella include/brownout/brownout.hpp)

read_code(${breaker_umbrella} breaker_code)
read_code(${full_umbrella} full_code)

if(NOT full_code MATCHES "\n#include \"brownout/breaker.hpp\"\n")
  violation(${full_umbrella} 1 "does not include brownout/breaker.hpp")
endif()

function(check_public_header header name room)
  if(room IN_LIST core_rooms)
    set(umbrella brownout/breaker.hpp)
    set(code "${breaker_code}")
  else()
    set(umbrella brownout/brownout.hpp)
    set(code "${full_code}")
  endif()
  string(FIND "${code}" "\n#include \"${name}\"\n" included)
  if(included EQUAL -1)
    violation(${header} 1 "public, but not included by ${umbrella}")
  endif()
endfunction()

find_sources(headers include/brownout/*/*.hpp)
foreach(header IN LISTS headers)
  string(REGEX REPLACE "^include/" "" name ${header})
  string(REGEX REPLACE "^brownout/([^/]+)/.*" "\\1" room ${name})
  if(NOT name MATCHES "/detail/" AND NOT room MATCHES "^(asio|prometheus_cpp|testing)$")
    check_public_header(${header} ${name} ${room})
  endif()
endforeach()

function(check_line file line text)
  string(STRIP "${text}" text)
  if(NOT text MATCHES "^(#pragma once|#include \"brownout/[a-z_0-9/]+\\.hpp\")$")
    violation(${file} ${line} "an umbrella holds includes of the library's headers and nothing else")
  elseif(text MATCHES "/detail/")
    violation(${file} ${line} "an umbrella includes public headers only")
  elseif(text MATCHES "brownout/(asio|prometheus_cpp|testing)/")
    violation(${file} ${line} "asio/, prometheus_cpp/ and testing/ are included by those who need them, not by an umbrella")
  endif()
endfunction()
for_each_match(${breaker_umbrella} "${breaker_code}" "\n[^\n]*[^ \n][^\n]*" check_line)
for_each_match(${full_umbrella} "${full_code}" "\n[^\n]*[^ \n][^\n]*" check_line)

finish()
