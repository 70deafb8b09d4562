# SPDX-License-Identifier: BSL-1.0
# include/CMakeLists.txt lists every header once, and none that is not there: a header that no list names is neither
# installed nor compiled alone.
include(${CMAKE_CURRENT_LIST_DIR}/checks.cmake)

set(listing include/CMakeLists.txt)
read_source(${listing} text)
string(REGEX REPLACE "#[^\n]*" "" text "${text}")

set_property(GLOBAL PROPERTY listed "")
function(note_listed file line header)
  string(STRIP "${header}" header)
  get_property(listed GLOBAL PROPERTY listed)
  if(NOT EXISTS ${ROOT}/include/${header})
    violation(${file} ${line} "there is no ${header}")
  elseif(header IN_LIST listed)
    violation(${file} ${line} "${header} is listed twice")
  endif()
  set_property(GLOBAL APPEND PROPERTY listed ${header})
endfunction()
for_each_match(${listing} "${text}" "[ \n]brownout/[a-z_0-9/]+\\.hpp" note_listed)
get_property(listed GLOBAL PROPERTY listed)

find_sources(headers include/*.hpp)
foreach(header IN LISTS headers)
  string(REGEX REPLACE "^include/" "" name ${header})
  if(NOT name IN_LIST listed)
    violation(${header} 1 "not listed in ${listing}")
  endif()
endforeach()

finish()
