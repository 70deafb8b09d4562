# SPDX-License-Identifier: BSL-1.0
# cmake/single_header.cmake writes each single header completely, and the same bytes everywhere. Prints their sizes.
# -DSOURCE=<checkout> -DWORK=<directory> -DCOMPILER=<path>
include(${CMAKE_CURRENT_LIST_DIR}/common.cmake)

set(entries_core brownout/breaker.hpp brownout/testing/manual_clock.hpp)
set(entries_all brownout/brownout.hpp brownout/testing/manual_clock.hpp)
file(REMOVE_RECURSE ${WORK})
file(COPY ${SOURCE}/include ${SOURCE}/cmake ${SOURCE}/LICENSE DESTINATION ${WORK}/elsewhere)

foreach(contents core all)
  set(single ${WORK}/${contents}.hpp)
  generate(${contents} ${single} ENVIRONMENT LC_ALL=C TZ=UTC)
  generate(${contents} ${WORK}/elsewhere/again/${contents}.hpp SOURCE ${WORK}/elsewhere
           ENVIRONMENT LC_ALL=C.UTF-8 LANG=tr_TR.UTF-8 TZ=Pacific/Kiritimati)
  file(SHA256 ${single} here)
  file(SHA256 ${WORK}/elsewhere/again/${contents}.hpp elsewhere)
  if(NOT here STREQUAL elsewhere)
    message(FATAL_ERROR "${contents}: other bytes in another directory, locale and time zone")
  endif()

  held_headers(${single} held)
  read_headers("${entries_${contents}}" read)
  list(SORT held)
  list(SORT read)
  if(NOT held STREQUAL read)
    message(FATAL_ERROR "${contents}: it holds ${held}\na compiler reads ${read}")
  endif()
  find_lost_text(${single} lost)
  if(NOT lost STREQUAL "")
    message(FATAL_ERROR "${contents}: it has lost a text of ${lost}")
  endif()

  list(LENGTH held headers)
  file(SIZE ${single} bytes)
  file(READ ${single} text)
  string(REGEX REPLACE "[^\n]+" "" lines "${text}")
  string(LENGTH "${lines}" lines)
  file(ARCHIVE_CREATE OUTPUT ${WORK}/${contents}.gz PATHS ${single} FORMAT raw COMPRESSION GZip)
  file(SIZE ${WORK}/${contents}.gz compressed)
  math(EXPR compressed "(${compressed} + 512) / 1024")
  message(STATUS "${contents}: ${headers} headers, ${bytes} bytes, ${lines} lines, ${compressed} KiB with gzip; complete, "
                 "and the same bytes elsewhere")
endforeach()
