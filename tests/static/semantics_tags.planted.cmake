# SPDX-License-Identifier: BSL-1.0
set(page ${copy}/docs/semantics.md)
set(test ${copy}/tests/unit/other.test.cpp)

file(APPEND ${page} "\n| tag | rule |\n|---|---|\n| B99a | It flies. |\n")
expect_violation("no test has the tag B99a")
file(APPEND ${page} "\n### B99 Flying\n")
expect_violation("no test has the tag B99")

file(WRITE ${test} "\nTEST_CASE(\"it flies\", \"[breaker][B99a]\") {}\n")
expect_violation("tests/unit/other.test.cpp:2: the tag B99a is not in docs/semantics.md")
file(WRITE ${test} "\nTEST_CASE(\"it flies\",\n          \"[breaker][S99]\") {}\n")
expect_violation("tests/unit/other.test.cpp:3: the tag S99 is not in docs/semantics.md")

file(APPEND ${page} "\n### B99 Flying\n\n| tag | rule |\n|---|---|\n| B99a | It flies. |\n")
file(WRITE ${test} "\nTEST_CASE(\"it flies\", \"[breaker][B99][B99a]\") {}\n")
expect_clean("a new rule with its test")
file(WRITE ${test} "\nTEST_CASE(\"it flies\", \"[breaker][flying][defect-9]\") {}\n")
expect_clean("tags of other forms")

file(APPEND ${page} "\n| B3a | It flies. |\n")
expect_violation("a second rule has the tag B3a")

file(REMOVE ${page})
expect_violation("docs/semantics.md:1: there is no such page")
