# SPDX-License-Identifier: BSL-1.0
# The library's unit tests don't sleep: they move a manual clock. The server's (staging/) work with real sockets, where a
# slow client has to be slow; theirs is the rule to poll with a deadline.
include(${CMAKE_CURRENT_LIST_DIR}/checks.cmake)

find_sources(tests tests/unit/*.cpp tests/unit/*.hpp)
list(FILTER tests EXCLUDE REGEX "^tests/unit/staging/")
foreach(test IN LISTS tests)
  read_code(${test} code)
  forbid(${test} "${code}" "[^A-Za-z0-9_](sleep_(for|until)|u?sleep|(clock_)?nanosleep)[ \n]*\\("
         "sleeps: move a manual clock instead")
endforeach()

finish()
