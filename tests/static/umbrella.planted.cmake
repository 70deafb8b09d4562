# SPDX-License-Identifier: BSL-1.0
set(full_umbrella ${copy}/include/brownout/brownout.hpp)
set(breaker_umbrella ${copy}/include/brownout/breaker.hpp)

plant_header(registry/planted.hpp "")
expect_violation("registry/planted.hpp:1: public, but not included by brownout/breaker.hpp")

plant_header(health/planted.hpp "")
expect_violation("health/planted.hpp:1: public, but not included by brownout/brownout.hpp")

plant_header(core/planted.hpp "")
file(APPEND ${full_umbrella} "#include \"brownout/core/planted.hpp\"\n")
expect_violation("core/planted.hpp:1: public, but not included by brownout/breaker.hpp")

plant_header(core/planted.hpp "")
file(APPEND ${breaker_umbrella} "// #include \"brownout/core/planted.hpp\"\n")
expect_violation("core/planted.hpp:1: public, but not included by brownout/breaker.hpp")

file(READ ${full_umbrella} text)
string(REPLACE "#include \"brownout/breaker.hpp\"\n" "" text "${text}")
file(WRITE ${full_umbrella} "${text}")
expect_violation("brownout.hpp:1: does not include brownout/breaker.hpp")

file(APPEND ${full_umbrella} "#include \"brownout/testing/manual_clock.hpp\"\n")
expect_violation("asio/, prometheus_cpp/ and testing/ are included by those who need them, not by an umbrella")

file(APPEND ${full_umbrella} "#include \"brownout/prometheus_cpp/collectable.hpp\"\n")
expect_violation("asio/, prometheus_cpp/ and testing/ are included by those who need them, not by an umbrella")

file(APPEND ${breaker_umbrella} "#include \"brownout/core/detail/chance.hpp\"\n")
expect_violation("an umbrella includes public headers only")

file(APPEND ${full_umbrella} "namespace brownout {}\n")
expect_violation("an umbrella holds includes of the library's headers and nothing else")

file(APPEND ${breaker_umbrella} "#include <vector>\n")
expect_violation("an umbrella holds includes of the library's headers and nothing else")

plant_header(core/detail/planted.hpp "")
expect_clean("an internal header")
