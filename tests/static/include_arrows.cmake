# SPDX-License-Identifier: BSL-1.0
# Includes point down only:
#
#     core <- window <- {breaker, health, degradation, guard} <- {pipeline, system, observe} <- asio
#
# Those in one pair of braces never include each other: they meet through the words of core and through concepts.
# testing/ needs core alone, and nothing needs testing/. core, window and breaker get by with the standard library.
include(${CMAKE_CURRENT_LIST_DIR}/checks.cmake)

set(siblings breaker health degradation guard)
set(core_may_include core)
set(window_may_include core window)
foreach(sibling IN LISTS siblings)
  set(${sibling}_may_include core window ${sibling})
endforeach()
foreach(upper pipeline system observe)
  set(${upper}_may_include core window ${siblings} ${upper})
endforeach()
set(asio_may_include core window ${siblings} pipeline system observe asio)
set(testing_may_include core testing)

set(standard_library_only core window breaker testing)

function(check_include file line include)
  string(REGEX REPLACE "^.*include *([<\"])([^>\"]+)[>\"]$" "\\1;\\2" parts "${include}")
  list(GET parts 0 quote)
  list(GET parts 1 name)
  if(name MATCHES "^brownout/")
    if(quote STREQUAL "<")
      violation(${file} ${line} "the library's own headers are included with quotes, from brownout/ on")
    elseif(NOT EXISTS ${ROOT}/include/${name})
      violation(${file} ${line} "there is no ${name}")
    elseif(NOT name MATCHES "^brownout/([a-z]+)/" OR NOT CMAKE_MATCH_1 IN_LIST ${area}_may_include)
      string(REPLACE ";" ", " allowed "${${area}_may_include}")
      violation(${file} ${line} "${area}/ may include ${allowed}, not ${name}")
    endif()
  elseif(quote STREQUAL "\"")
    violation(${file} ${line} "the library's own headers are included with quotes, from brownout/ on")
  elseif(name MATCHES "^[a-z_]+$")
    # A standard header: it has neither directory nor suffix.
  elseif(area IN_LIST standard_library_only)
    violation(${file} ${line} "${area}/ uses the standard library alone, not <${name}>")
  elseif(name MATCHES "^boost/asio" AND NOT area STREQUAL "asio")
    violation(${file} ${line} "Boost.Asio is for asio/ alone, not for ${area}/")
  elseif(NOT name MATCHES "^(boost|fmt)/")
    violation(${file} ${line} "the library uses the standard library, Boost and fmt, not <${name}>")
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
