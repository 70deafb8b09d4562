# SPDX-License-Identifier: BSL-1.0
# Every detector and every class template that users can name is instantiated by tests/static/every_template.cpp, which
# tests/compilers compiles: a compiler warns about a template only where it is used.
include(${CMAKE_CURRENT_LIST_DIR}/checks.cmake)

set(list tests/static/every_template.cpp)
read_code(${list} used)

function(check_named header line name)
  if(NOT used MATCHES "[^A-Za-z0-9_]${name}[^A-Za-z0-9_]")
    violation(${header} ${line} "${name} is not instantiated by ${list}")
  endif()
endfunction()

function(check_class header line declaration)
  string(REGEX REPLACE ".*[ \n]" "" name "${declaration}")
  check_named(${header} ${line} ${name})
endfunction()

find_sources(headers include/brownout/*/*.hpp)
list(FILTER headers EXCLUDE REGEX "/detail/")
list(FILTER headers EXCLUDE REGEX "/asio/") # Boost.Asio takes seconds for each compiler; its tests use what is there
foreach(header IN LISTS headers)
  read_code(${header} code)
  for_each_match(${header} "${code}" "\ntemplate <[^;{}]*>\nclass (alignas\\(64\\) )?[a-z_]+" check_class)
  if(header MATCHES "/detector/" AND code MATCHES "judgement judge\\(") # a detector is called as its file
    get_filename_component(name ${header} NAME_WE)
    check_named(${header} 1 ${name})
  endif()
endforeach()

finish()
