# SPDX-License-Identifier: BSL-1.0
# A cell of a table in a page has at most 30 words: a table is for looking up, and what needs more is a sentence below it.
include(${CMAKE_CURRENT_LIST_DIR}/checks.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/markdown.cmake)

set(most 30)

function(check_row page line row)
  split_row("${row}" cells)
  foreach(cell IN LISTS cells)
    string(REGEX REPLACE "\\([^ )]*(/|\\.md|#)[^ )]*\\)" "" cell "${cell}") # where a link leads to
    string(REGEX MATCHALL "[^ ]+" words "${cell}")
    list(LENGTH words length)
    if(length GREATER most)
      violation(${page} ${line} "a cell of ${length} words, more than ${most}: ${cell}")
    endif()
  endforeach()
endfunction()

find_sources(pages *.md docs/*.md examples/*.md)
foreach(page IN LISTS pages)
  read_source(${page} text)
  without_blocks("${text}" text)
  for_each_match(${page} "${text}" "\n\\|[^\n]*\\|" check_row)
endforeach()

finish()
