# SPDX-License-Identifier: BSL-1.0
# What stands in a room's detail/ is not the user's: no example, no benchmark and no page includes or names such a
# header, nor anything of brownout::detail. The project's own unit tests may.
include(${CMAKE_CURRENT_LIST_DIR}/checks.cmake)

find_sources(programs examples/*.hpp examples/*.cpp tests/package/*.cpp)
find_sources(pages docs/*.md README.md examples/*.md)
list(FILTER pages EXCLUDE REGEX "^docs/adr/") # a decision may be about an internal header
foreach(file IN LISTS programs pages)
  read_source(${file} text)
  forbid(${file} "${text}" "brownout/[a-z_]+/detail/" "a header in detail/ is internal: not for examples and pages")
  forbid(${file} "${text}" "brownout::detail|[^:A-Za-z_]detail::" "brownout::detail is internal: not for examples and pages")
endforeach()

finish()
