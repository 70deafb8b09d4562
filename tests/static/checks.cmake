# SPDX-License-Identifier: BSL-1.0
# What the static checks share. A check is a script run with -DROOT=<tree>: it reads the tree, calls `violation` for
# every line that breaks its rule, and ends with `finish`. All violations are shown, not only the first.
cmake_minimum_required(VERSION 3.24)

if(NOT IS_DIRECTORY "${ROOT}")
  message(FATAL_ERROR "usage: cmake -DROOT=<tree> -P ${CMAKE_SCRIPT_MODE_FILE}")
endif()
set_property(GLOBAL PROPERTY violations 0)
set_property(GLOBAL PROPERTY files_read 0)

# Paths relative to ROOT, sorted: violations come in the same order everywhere. A pattern with a directory also finds what
# lies deeper. One without finds what lies in ROOT alone: deeper, there are builds, and other checks' copies of the tree.
function(find_sources out)
  set(found)
  foreach(pattern IN LISTS ARGN)
    if(pattern MATCHES "/")
      file(GLOB_RECURSE matches RELATIVE ${ROOT} ${ROOT}/${pattern})
    else()
      file(GLOB matches RELATIVE ${ROOT} ${ROOT}/${pattern})
    endif()
    list(APPEND found ${matches})
  endforeach()
  list(SORT found)
  set(${out} ${found} PARENT_SCOPE)
endfunction()

# The text of a file with a newline before it, so that "\n" in a pattern means the beginning of a line.
function(read_source file out)
  file(READ ${ROOT}/${file} text)
  get_property(files_read GLOBAL PROPERTY files_read)
  math(EXPR files_read "${files_read} + 1")
  set_property(GLOBAL PROPERTY files_read ${files_read})
  set(${out} "\n${text}" PARENT_SCOPE)
endfunction()

# The same without line comments: prose may name what code must not do.
function(read_code file out)
  read_source(${file} text)
  string(REGEX REPLACE "//[^\n]*" "" text "${text}")
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

function(violation file line rule)
  message("${file}:${line}: ${rule}")
  get_property(violations GLOBAL PROPERTY violations)
  math(EXPR violations "${violations} + 1")
  set_property(GLOBAL PROPERTY violations ${violations})
endfunction()

function(line_of text offset out)
  string(SUBSTRING "${text}" 0 ${offset} before)
  string(REGEX MATCHALL "\n" newlines "${before}")
  list(LENGTH newlines line)
  set(${out} ${line} PARENT_SCOPE)
endfunction()

# Calls visitor(file line match) for every match of `pattern`. A pattern that begins with "\n" counts for the line
# after it.
function(for_each_match file text pattern visitor)
  set(offset 0)
  set(rest "${text}")
  string(REGEX MATCH "${pattern}" match "${rest}")
  while(NOT match STREQUAL "")
    string(FIND "${rest}" "${match}" at)
    string(LENGTH "${match}" length)
    math(EXPR offset "${offset} + ${at}")
    set(seen_from ${offset})
    if("${match}" MATCHES "^\n")
      math(EXPR seen_from "${offset} + 1")
    endif()
    line_of("${text}" ${seen_from} line)
    cmake_language(CALL ${visitor} ${file} ${line} "${match}")
    math(EXPR offset "${offset} + ${length}")
    string(SUBSTRING "${text}" ${offset} -1 rest)
    string(REGEX MATCH "${pattern}" match "${rest}")
  endwhile()
endfunction()

# Every match of `pattern` breaks `rule`.
function(forbid file text pattern rule)
  function(forbidden_here file line match)
    violation(${file} ${line} "${forbidden_rule}")
  endfunction()
  set(forbidden_rule "${rule}")
  for_each_match(${file} "${text}" "${pattern}" forbidden_here)
endfunction()

# A check that looked at nothing has checked nothing.
function(finish)
  get_property(files_read GLOBAL PROPERTY files_read)
  get_property(violations GLOBAL PROPERTY violations)
  if(files_read EQUAL 0)
    message(FATAL_ERROR "no file to check under ${ROOT}")
  endif()
  if(violations)
    message(FATAL_ERROR "${violations} violation(s) in ${files_read} files")
  endif()
  message(STATUS "${files_read} files checked")
endfunction()
