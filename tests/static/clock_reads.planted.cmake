# SPDX-License-Identifier: BSL-1.0
foreach(reading
        "auto t = std::chrono::steady_clock::now()"
        "auto t = std::chrono::system_clock :: now ()"
        "auto t = std::chrono::high_resolution_clock::now()"
        "auto t = Clock::now()"
        "auto t = Clock::coarse_now()"
        "clock_gettime(CLOCK_MONOTONIC, &t)"
        "gettimeofday(&t, nullptr)"
        "auto t = time(nullptr)"
        "auto t = std::time(&u)"
        "auto t = std::clock()"
        "auto t = __rdtsc()")
  plant_header(breaker/planted.hpp "\ninline void planted() { ${reading}\; }")
  expect_violation("breaker/planted.hpp:4: reads a clock that it was not given")
endforeach()

plant_header(testing/planted.hpp "inline auto planted() { return std::chrono::steady_clock::now()\; }")
expect_violation("testing/planted.hpp:3: reads a clock")

plant_header(breaker/planted.hpp "// never std::chrono::steady_clock::now()\nauto t = clock_.now() + detail::coarse_now(clock_) + overtime(0)\;")
expect_clean("a comment about a clock, an injected clock, a name that ends in time")
