# SPDX-License-Identifier: BSL-1.0
# No two unit tests have one name: the test program would refuse to run any.
include(${CMAKE_CURRENT_LIST_DIR}/checks.cmake)

set_property(GLOBAL PROPERTY names "")
function(note_name file line case)
  string(REGEX REPLACE "^[^\"]*(\".*\")$" "\\1" name "${case}")
  get_property(names GLOBAL PROPERTY names)
  if(name IN_LIST names)
    violation(${file} ${line} "another test is called ${name}")
  endif()
  set_property(GLOBAL APPEND PROPERTY names "${name}")
endfunction()

find_sources(tests tests/unit/*.test.cpp)
foreach(test IN LISTS tests)
  read_source(${test} text)
  for_each_match(${test} "${text}" "\nTEST_CASE\\([ \n]*\"[^\"]*\"" note_name)
endforeach()

finish()
