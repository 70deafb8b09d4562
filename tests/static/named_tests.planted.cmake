# SPDX-License-Identifier: BSL-1.0
set(page ${copy}/docs/defects.md)
set(tests ${copy}/tests/unit)

file(APPEND ${page} "| lib | what | where | \"no such test\" |\n")
expect_violation("docs/defects.md:")
file(APPEND ${page} "\nOur test: \"no such test\"\n")
expect_violation("no test is called")
file(APPEND ${copy}/SECURITY.md "| attack | promise | \"no such test\" |\n")
expect_violation("SECURITY.md:")

file(WRITE ${tests}/other.test.cpp "\nTEST_CASE(\"it is [as\"\n          \" it was]\", \"[other]\") {\n  SECTION(\"a part of it\") {}\n}\n")
file(APPEND ${page} "| lib | what | where | \"it is [as it was]\" |\n| lib | what | where | \"a part of it\" |\n")
expect_clean("a name in two pieces, and a section")

file(APPEND ${page} "| lib | they say \"hello\" | where | \"a late result counts for nothing, and its caller is told\" |\n")
expect_clean("what people say")

file(WRITE ${tests}/other.test.cpp "\nTEST_CASE(\"it breaks no more\", \"[breaker][defect]\") {}\n")
expect_violation("tests/unit/other.test.cpp:2: a test of a defect that is not in docs/defects.md: it breaks no more")
file(WRITE ${tests}/other.test.cpp "\nTEST_CASE(\"it breaks no more\", \"[breaker][defect-99]\") {}\n")
expect_violation("a test of a defect that is not in docs/defects.md: it breaks no more")

file(READ ${copy}/README.md text)
string(REPLACE "`fetch_content` |" "`fetch_nothing` |" text "${text}")
file(WRITE ${copy}/README.md "${text}")
expect_violation("no test is called package.fetch_nothing")

file(READ ${copy}/README.md text)
string(REPLACE "| `riscv64` |" "| `sparc` |" text "${text}")
file(WRITE ${copy}/README.md "${text}")
expect_violation("compilers: tests/compilers has")

file(REMOVE ${page})
run_check(status output)
if(status EQUAL 0 OR NOT output MATCHES "docs/defects.md:1: there is no such page")
  message(FATAL_ERROR "${CHECK} did not notice a missing page:\n${output}")
endif()
restore_copy()
