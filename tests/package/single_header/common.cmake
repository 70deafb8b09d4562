# SPDX-License-Identifier: BSL-1.0
# What the checks of the single headers share. -DSOURCE=<checkout> -DWORK=<directory>
cmake_minimum_required(VERSION 3.24)

# Writes the single header of these contents, here or in another checkout.
function(generate contents output)
  cmake_parse_arguments(PARSE_ARGV 2 other "" "SOURCE" "ENVIRONMENT")
  if(NOT other_SOURCE)
    set(other_SOURCE ${SOURCE})
  endif()
  get_filename_component(directory ${output} DIRECTORY)
  file(MAKE_DIRECTORY ${directory})
  execute_process(COMMAND ${CMAKE_COMMAND} -E env ${other_ENVIRONMENT}
                          ${CMAKE_COMMAND} "-DCONTENTS=${contents}" -DOUTPUT=${output}
                          -P ${other_SOURCE}/cmake/single_header.cmake
                  WORKING_DIRECTORY ${directory} OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# The headers that a single header holds, in its order.
function(held_headers single out)
  file(STRINGS ${single} titles REGEX "^// ---- brownout/[a-z_/]+\\.hpp$")
  list(TRANSFORM titles REPLACE "^// ---- " "")
  list(REMOVE_DUPLICATES titles)
  set(${out} "${titles}" PARENT_SCOPE)
endfunction()

# For each header that it holds a file of this name, which includes it: programs for separate headers compile unchanged.
function(write_forwarders single directory)
  held_headers(${single} headers)
  foreach(header IN LISTS headers)
    file(WRITE ${directory}/${header} "#pragma once\n#include \"${single}\"\n")
  endforeach()
endfunction()

# A text of a header that the single header does not hold: `lost`, empty if there is none. Headers are texts with
# semicolons and brackets, so they are cut, never listed.
function(find_lost_text single out)
  string(ASCII 1 cut)
  file(READ ${single} text)
  held_headers(${single} headers)
  set(${out} "" PARENT_SCOPE)
  foreach(header IN LISTS headers)
    file(READ ${SOURCE}/include/${header} rest)
    string(REGEX REPLACE "\n(#include|#pragma once)[^\n]*" "${cut}" rest "${rest}")
    string(REPLACE "// SPDX-License-Identifier: BSL-1.0${cut}" "${cut}" rest "${rest}")
    while(NOT rest STREQUAL "")
      string(FIND "${rest}${cut}" "${cut}" at)
      string(SUBSTRING "${rest}" 0 ${at} piece)
      string(SUBSTRING "${rest}${cut}" ${at} -1 rest)
      string(SUBSTRING "${rest}" 1 -1 rest)
      string(REGEX REPLACE "${cut}$" "" rest "${rest}")
      string(STRIP "${piece}" piece)
      string(FIND "${text}" "\n${piece}\n" at)
      if(at EQUAL -1)
        set(${out} "${header}:\n${piece}" PARENT_SCOPE)
        return()
      endif()
    endwhile()
  endforeach()
endfunction()

# The headers that a compiler reads for these contents, and no file but them.
function(read_headers entries out)
  set(program "")
  foreach(entry IN LISTS entries)
    string(APPEND program "#include <${entry}>\n")
  endforeach()
  file(WRITE ${WORK}/separate.cpp "${program}")
  execute_process(COMMAND ${COMPILER} -std=c++20 -I${SOURCE}/include -MM ${WORK}/separate.cpp OUTPUT_VARIABLE made
                  COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "include/brownout/[a-z_/]+\\.hpp" headers "${made}")
  list(TRANSFORM headers REPLACE "^include/" "")
  set(${out} "${headers}" PARENT_SCOPE)
endfunction()
