# SPDX-License-Identifier: BSL-1.0
# Includes point down only, and what a room keeps in its detail/ is for it and for the rooms above it:
#
#     core <- detector <- breaker <- registry
#     core <- {health, recovery, level, guard}, level <- feature
#     all of these <- {system, observe} <- asio, observe <- prometheus_cpp
#
# Those in one pair of braces never include each other. testing/ needs core alone, and no room needs testing/. All but the
# adapters asio/ and prometheus_cpp/ get by with the standard library.
include(${CMAKE_CURRENT_LIST_DIR}/checks.cmake)

set(core_may_include core)
set(detector_may_include core detector)
set(breaker_may_include core detector breaker)
set(registry_may_include core detector breaker registry)
set(guard_may_include core guard)
set(health_may_include core health)
set(recovery_may_include core recovery)
set(level_may_include core level)
set(feature_may_include core level feature)
set(below_system core detector breaker registry guard health recovery level feature)
set(system_may_include ${below_system} system)
set(observe_may_include ${below_system} observe)
set(asio_may_include ${below_system} system observe asio)
set(prometheus_cpp_may_include ${below_system} observe prometheus_cpp)
set(testing_may_include core testing)

function(check_include file line include)
  string(REGEX REPLACE "^.*include *([<\"])([^>\"]+)[>\"]$" "\\1;\\2" parts "${include}")
  list(GET parts 0 quote)
  list(GET parts 1 name)
  if(name MATCHES "^brownout/")
    if(quote STREQUAL "<")
      violation(${file} ${line} "the library's own headers are included with quotes, from brownout/ on")
    elseif(NOT EXISTS ${ROOT}/include/${name})
      violation(${file} ${line} "there is no ${name}")
    elseif(name STREQUAL "brownout/version.hpp")
      # The namespace's name, for every room.
    elseif(NOT name MATCHES "^brownout/([a-z_]+)/" OR NOT CMAKE_MATCH_1 IN_LIST ${area}_may_include)
      string(REPLACE ";" ", " allowed "${${area}_may_include}")
      violation(${file} ${line} "${area}/ may include ${allowed}, not ${name}")
    endif()
  elseif(quote STREQUAL "\"")
    violation(${file} ${line} "the library's own headers are included with quotes, from brownout/ on")
  elseif(name MATCHES "^[a-z_]+$")
    # A standard header: it has neither directory nor suffix.
  elseif(file STREQUAL "include/brownout/testing/detail/fiber.hpp" AND name MATCHES "^(ucontext\\.h|cxxabi\\.h|sanitizer/)")
    # No standard header changes stacks.
  elseif(area STREQUAL "asio" AND name MATCHES "^boost/")
    # What it is an adapter for, as the next one.
  elseif(area STREQUAL "prometheus_cpp" AND name MATCHES "^prometheus/")
  else()
    violation(${file} ${line} "${area}/ must not include <${name}>")
  endif()
endfunction()

find_sources(headers include/brownout/*/*.hpp)
foreach(header IN LISTS headers)
  string(REGEX REPLACE "^include/brownout/([^/]+)/.*" "\\1" area ${header})
  if(NOT DEFINED ${area}_may_include)
    violation(${header} 1 "${area}/ is not a part of the library that the arrows know")
    continue()
  endif()
  read_code(${header} code)
  for_each_match(${header} "${code}" "\n[ \t]*#[ \t]*include *(<[^>\n]+>|\"[^\"\n]+\")" check_include)
endforeach()

finish()
