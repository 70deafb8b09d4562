# SPDX-License-Identifier: BSL-1.0
#
# cmake -DCONTENTS=core -DOUTPUT=brownout-core.hpp -P cmake/single_header.cmake
#
# Writes one header that holds some headers of include/ and all of brownout's that they include. Each stands once, before
# the first that needs it. No comment is lost. It needs the standard library alone, unless it holds an adapter. The output depends on these files alone: it holds no date and no path.
#
#     CONTENTS=core     brownout/breaker.hpp and the clock for tests
#     CONTENTS=all      brownout/brownout.hpp and the clock for tests
#     CONTENTS=…        the headers to hold, separated by semicolons: "brownout/brownout.hpp;brownout/asio/async_call.hpp"
#     ROOT              where the headers are; the default is include/ beside this directory
cmake_minimum_required(VERSION 3.24)

foreach(needed CONTENTS OUTPUT)
  if("${${needed}}" STREQUAL "")
    message(FATAL_ERROR "single_header: -D${needed}=… is missing")
  endif()
endforeach()
if(NOT DEFINED ROOT)
  set(ROOT ${CMAKE_CURRENT_LIST_DIR}/../include)
endif()
set(contents_of_core brownout/breaker.hpp brownout/testing/manual_clock.hpp)
set(contents_of_all brownout/brownout.hpp brownout/testing/manual_clock.hpp)
if(CONTENTS MATCHES "^(core|all)$")
  set(CONTENTS ${contents_of_${CONTENTS}})
endif()

# Headers are text with semicolons and brackets: they are no lists to CMake. They are cut at preprocessor lines only.
set(directive "\n[ \t]*#[ \t]*(include|if|endif)([^\n]*)")

foreach(name
        taken      # headers, in the order of the output
        system     # what they include with <>
        body
        last       # the header whose text came last
        all_given) # headers of which nothing but includes is left to read
  set_property(GLOBAL PROPERTY ${name} "")
endforeach()

function(refuse)
  string(CONCAT reason ${ARGN})
  message(FATAL_ERROR "single_header: ${reason}")
endfunction()

function(give header text)
  string(STRIP "${text}" text)
  if(text STREQUAL "")
    return()
  endif()
  get_property(last GLOBAL PROPERTY last)
  if(NOT last STREQUAL header)
    set(text "// ---- ${header}\n\n${text}")
    set_property(GLOBAL PROPERTY last ${header})
  endif()
  set_property(GLOBAL APPEND_STRING PROPERTY body "\n${text}\n")
endfunction()

# Gives the text of a header, and in place of each include of ours what that includes. ARGN: the headers that led here.
function(take header)
  set(chain ${ARGN})
  get_property(taken GLOBAL PROPERTY taken)
  get_property(all_given GLOBAL PROPERTY all_given)
  if(header IN_LIST chain)
    # The last lines of a header may include the bodies of its functions, which include it in turn.
    if(NOT header IN_LIST all_given)
      list(JOIN chain " -> " path)
      refuse("a cycle of includes: ${path} -> ${header}")
    endif()
    return()
  elseif(header IN_LIST taken)
    return()
  endif()
  if(NOT EXISTS ${ROOT}/${header})
    list(POP_BACK chain includer)
    refuse("${header}, which ${includer} includes, is not in ${ROOT}")
  endif()
  list(APPEND chain ${header})

  file(READ ${ROOT}/${header} text)
  string(REPLACE "\r\n" "\n" text "\n${text}")
  string(REGEX REPLACE "^\n// SPDX-License-Identifier: [^\n]*" "" text "${text}")
  string(REPLACE "\n#pragma once\n" "\n" once "${text}")
  if(once STREQUAL text)
    refuse("${header} has no #pragma once")
  endif()
  set(text "${once}")
  set(before "")
  set(depth 0) # of #if
  while(text MATCHES "${directive}")
    set(line "${CMAKE_MATCH_0}")
    set(kind ${CMAKE_MATCH_1})
    string(STRIP "${CMAKE_MATCH_2}" what)
    string(FIND "${text}" "${line}" at)
    string(SUBSTRING "${text}" 0 ${at} passed)
    string(APPEND before "${passed}")
    string(LENGTH "${line}" length)
    math(EXPR at "${at} + ${length}")
    string(SUBSTRING "${text}" ${at} -1 text)
    if(kind STREQUAL "include")
      if(depth GREATER 0)
        refuse("${header}: an include under #if cannot be moved: #include ${what}")
      endif()
      give(${header} "${before}")
      set(before "")
      string(REGEX REPLACE "\n#include [^\n]*" "" left "${text}")
      if(left MATCHES "^\n*$")
        set_property(GLOBAL APPEND PROPERTY all_given ${header})
      endif()
      if(what MATCHES "^\"([^\" ]+)\"$")
        take(${CMAKE_MATCH_1} ${chain})
      elseif(what MATCHES "^<[^> ]+>$")
        set_property(GLOBAL APPEND PROPERTY system ${what})
      else()
        refuse("${header}: neither \"…\" nor <…> alone: #include ${what}")
      endif()
    else()
      if(kind STREQUAL "if")
        math(EXPR depth "${depth} + 1")
      else()
        math(EXPR depth "${depth} - 1")
      endif()
      string(APPEND before "${line}")
    endif()
  endwhile()
  give(${header} "${before}${text}")
  set_property(GLOBAL APPEND PROPERTY taken ${header})
endfunction()

get_filename_component(output "${OUTPUT}" ABSOLUTE)
if(IS_DIRECTORY "${output}")
  refuse("OUTPUT is a directory: ${OUTPUT}") # CMake would write nothing, and not say so
endif()
foreach(header IN LISTS CONTENTS)
  take(${header} CONTENTS)
endforeach()

get_property(taken GLOBAL PROPERTY taken)
get_property(system GLOBAL PROPERTY system)
get_property(body GLOBAL PROPERTY body)
list(LENGTH taken count)
list(REMOVE_DUPLICATES system)
list(SORT system COMPARE STRING)
list(JOIN system "\n#include " system)
list(JOIN CONTENTS ", " contents)
file(STRINGS ${ROOT}/brownout/version.hpp version REGEX "^#define BROWNOUT_VERSION_")
string(REGEX REPLACE ".*MAJOR ([0-9]+).*MINOR ([0-9]+).*PATCH ([0-9]+).*" "\\1.\\2.\\3" version "${version}")
file(READ ${CMAKE_CURRENT_LIST_DIR}/../LICENSE license)
string(STRIP "${license}" license)
string(REGEX REPLACE "\n" "\n// " license "${license}")
string(REGEX REPLACE "// \n" "//\n" license "${license}")

# Of two forms in one file the second says so, and does so before any other error: brownout/version.hpp, which every
# header includes first, asks for BROWNOUT_SINGLE_HEADER.
set(text "// SPDX-License-Identifier: BSL-1.0
//
// brownout ${version} in one header: ${contents} and what they include.
// Made of ${count} headers by cmake/single_header.cmake. Do not change it: change those.
//
// ${license}
#pragma once

#if defined(BROWNOUT_VERSION_MAJOR)
#error \"include either one single header of brownout or its separate headers, not both\"
#else

#include ${system}
${body}
#define BROWNOUT_SINGLE_HEADER
#endif
")
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "@text@" @ONLY NEWLINE_STYLE UNIX)
message(STATUS "single_header: ${OUTPUT}: ${count} headers")
