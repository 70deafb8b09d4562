# SPDX-License-Identifier: BSL-1.0
file(WRITE ${copy}/tests/unit/one.test.cpp "\nTEST_CASE(\"it works\", \"[one]\") {}\n")
file(WRITE ${copy}/tests/unit/other.test.cpp "// other\n\nTEST_CASE(\n    \"it works\",\n    \"[other]\") {}\n")
expect_violation("tests/unit/other.test.cpp:3: another test is called")

file(WRITE ${copy}/tests/unit/one.test.cpp "\nTEST_CASE(\"it works\", \"[one]\") {}\nTEST_CASE(\"it works twice\", \"[one]\") {}\n")
expect_clean("two names of which one begins like the other")
