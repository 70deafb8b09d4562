# SPDX-License-Identifier: BSL-1.0
# Clocks are read in core/clock.hpp alone: everything else is told the time by a clock that it was given, so that
# tests can move it.
include(${CMAKE_CURRENT_LIST_DIR}/checks.cmake)

set(not_a_name "[^A-Za-z0-9_.>]")
set(c_clocks "clock_gettime|gettimeofday|timespec_get|ftime|__rdtsc|__builtin_ia32_rdtscp?")

find_sources(headers include/*.hpp)
list(REMOVE_ITEM headers include/brownout/core/clock.hpp)
foreach(header IN LISTS headers)
  read_code(${header} code)
  # Any static now(): an alias of a standard clock is one too, and injected clocks are asked as objects.
  forbid(${header} "${code}" "::[ \n]*(now[ \n]*\\(|coarse_now[ \n]*\\([ \n]*\\))" "reads a clock that it was not given")
  forbid(${header} "${code}" "${not_a_name}(${c_clocks})[ \n]*\\(" "reads a clock that it was not given")
  forbid(${header} "${code}" "std::(time|clock)[ \n]*\\(" "reads a clock that it was not given")
  forbid(${header} "${code}" "[^A-Za-z0-9_.>:]time[ \n]*\\([ \n]*(nullptr|NULL|0|&)" "reads a clock that it was not given")
endforeach()

finish()
