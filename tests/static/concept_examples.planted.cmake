# SPDX-License-Identifier: BSL-1.0
plant_header(core/planted.hpp "template <class T>\nconcept planted = true\;")
expect_violation("core/planted.hpp:4: no program in tests/compile_fail/ must say 'planted'")

file(REMOVE ${copy}/tests/compile_fail/clock_of_another_kind.cpp
     ${copy}/tests/compile_fail/coarse_clock_of_another_kind.cpp)
expect_violation(": no program in tests/compile_fail/ must say 'clock_source'")
