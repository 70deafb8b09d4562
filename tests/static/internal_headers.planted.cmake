# SPDX-License-Identifier: BSL-1.0
set(rule "a header in detail/ is internal: not for examples and pages")

file(APPEND ${copy}/examples/01_one_breaker.cpp "#include <brownout/core/detail/chance.hpp>\n")
expect_violation("${rule}")

file(APPEND ${copy}/README.md "\nInclude `brownout/breaker/detail/circuit.hpp`.\n")
expect_violation("${rule}")

file(APPEND ${copy}/docs/guide.md "\n`brownout/breaker/detail/circuit.hpp`\n")
expect_violation("${rule}")

file(APPEND ${copy}/examples/02_health_to_level.cpp "auto x = brownout::detail::mixed(1)\;\n")
expect_violation("brownout::detail is internal: not for examples and pages")

file(APPEND ${copy}/docs/adr/0001-deadlines-of-a-circuit.md "\n`brownout/breaker/detail/circuit.hpp`\n")
expect_clean("a decision about an internal header")
