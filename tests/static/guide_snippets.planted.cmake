# SPDX-License-Identifier: BSL-1.0
set(guide ${copy}/docs/guide.md)
file(READ ${guide} whole)
string(REGEX MATCHALL "\n" newlines "${whole}")
list(LENGTH newlines last)
math(EXPR below "${last} + 2")

file(APPEND ${guide} "\n```cpp\nbreaker.call_nothing([] {});\n```\n")
expect_violation("docs/guide.md:${below}: not an excerpt of a file under examples/")

file(APPEND ${guide} "\n```cpp\n      enum   class level { normal, degraded, emergency };\n```\n")
expect_violation("docs/guide.md:${below}: not an excerpt of a file under examples/")

file(APPEND ${guide} "\n```cpp\n      enum class level { normal, degraded, emergency };\n```\n")
expect_clean("another indentation")

file(APPEND ${guide} "\n```cpp\nenum class level { normal, degraded\n```\n")
expect_violation("docs/guide.md:${below}: not an excerpt of a file under examples/")

# Two lines of the examples, but not one below the other.
file(APPEND ${guide} "\n```cpp\nint main() {\nenum class level { normal, degraded, emergency };\n```\n")
expect_violation("docs/guide.md:${below}: not an excerpt of a file under examples/")

# What was an excerpt is none when the example changes.
file(READ ${copy}/examples/04_four_dependencies.cpp text)
string(REPLACE "shop.features();" "shop.offers();" text "${text}")
file(WRITE ${copy}/examples/04_four_dependencies.cpp "${text}")
run_check(status output)
if(status EQUAL 0 OR NOT output MATCHES "docs/guide.md:[0-9]+: not an excerpt of a file under examples/")
  message(FATAL_ERROR "${CHECK} did not notice that an example has changed:\n${output}")
endif()
restore_copy()

math(EXPR next "${below} + 1")
file(APPEND ${guide} "\n<!-- not compiled: it shows a mistake -->\n```cpp\nif (level == 3) panic();\n```\n")
expect_clean("a block that says why it is not compiled")
file(APPEND ${guide} "\n<!-- not compiled: it shows a mistake -->\n\n```cpp\nif (level == 3) panic();\n```\n")
expect_clean("with an empty line between")
file(APPEND ${guide} "\n<!-- not compiled: -->\n```cpp\nif (level == 3) panic();\n```\n")
expect_violation("docs/guide.md:${next}: not an excerpt of a file under examples/")

math(EXPR later "${below} + 2")
file(APPEND ${guide} "\n<!-- not compiled: it shows a mistake -->\nAnd so:\n```cpp\nif (level == 3) panic();\n```\n")
expect_violation("docs/guide.md:${later}: not an excerpt of a file under examples/")

file(APPEND ${guide} "\n```c++\nint x = 0;\n```\n")
expect_violation("docs/guide.md:${below}: a block of kind 'c++', which nobody checks")

file(APPEND ${guide} "\n```cpp\n```\n")
expect_violation("docs/guide.md:${below}: an empty block")

file(APPEND ${guide} "\n```cpp\nint x = 0;\n")
expect_violation("docs/guide.md:${below}: a block that does not end")

file(APPEND ${guide} "\n```sh\n./examples/staging/run\n```\n")
expect_clean("a block that is no C++")

file(WRITE ${guide} "# A guide without code\n")
expect_violation("docs/guide.md:1: shows no code")

file(REMOVE ${guide})
expect_violation("docs/guide.md:1: there is no such page")

file(APPEND ${copy}/docs/recipes.md "\n```cpp\nbreaker.call_nothing([] {});\n```\n")
expect_violation(": not an excerpt of a file under examples/")
file(REMOVE ${copy}/docs/recipes.md)
expect_violation("docs/recipes.md:1: there is no such page")
