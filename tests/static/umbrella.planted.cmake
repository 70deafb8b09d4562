# SPDX-License-Identifier: BSL-1.0
set(umbrella ${copy}/include/brownout/brownout.hpp)

plant_header(core/planted.hpp "namespace brownout {\n}")
expect_violation("core/planted.hpp:1: public, but not included by brownout/brownout.hpp")

plant_header(core/planted.hpp "#define BROWNOUT_PLANTED")
expect_violation("core/planted.hpp:1: public, but not included by brownout/brownout.hpp")

plant_header(core/planted.hpp "namespace brownout {\n}")
file(APPEND ${umbrella} "// #include \"brownout/core/planted.hpp\"\n")
expect_violation("core/planted.hpp:1: public, but not included by brownout/brownout.hpp")

file(APPEND ${umbrella} "#include \"brownout/testing/manual_clock.hpp\"\n")
expect_violation("includes brownout/testing/manual_clock.hpp, which is not for everyone")

file(APPEND ${umbrella} "namespace brownout {}\n")
expect_violation("the umbrella holds includes of the library's headers and nothing else")

file(APPEND ${umbrella} "#include <vector>\n")
expect_violation("the umbrella holds includes of the library's headers and nothing else")

plant_header(core/planted.hpp "namespace brownout::detail {\n}")
expect_clean("an internal header")
