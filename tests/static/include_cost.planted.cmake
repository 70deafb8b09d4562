# SPDX-License-Identifier: BSL-1.0
file(APPEND ${copy}/include/brownout/core/clock.hpp "#include <regex>\n")
expect_violation("lines with all that it includes, ")

file(APPEND ${copy}/include/brownout/system/claim.hpp "#include <regex>\n")
expect_violation("lines with all that it includes beyond brownout/breaker.hpp, ")

file(APPEND ${copy}/include/brownout/system/claim.hpp "#include <chrono>\n")
expect_clean("a header that another one includes too")
