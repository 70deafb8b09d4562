# SPDX-License-Identifier: BSL-1.0
plant_header(core/planted.hpp "")
expect_violation("core/planted.hpp:1: not listed in include/CMakeLists.txt")

plant_header(core/planted.hpp "")
file(APPEND ${copy}/include/CMakeLists.txt "# brownout/core/planted.hpp\n")
expect_violation("core/planted.hpp:1: not listed in include/CMakeLists.txt")

file(REMOVE ${copy}/include/brownout/core/clock.hpp)
expect_violation("there is no brownout/core/clock.hpp")

file(APPEND ${copy}/include/CMakeLists.txt "target_sources(x PRIVATE brownout/core/clock.hpp)\n")
expect_violation("brownout/core/clock.hpp is listed twice")

plant_header(core/planted.hpp "")
file(APPEND ${copy}/include/CMakeLists.txt "target_sources(x PRIVATE brownout/core/planted.hpp)\n")
expect_clean("a new header that is listed")
