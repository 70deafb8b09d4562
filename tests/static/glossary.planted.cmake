# SPDX-License-Identifier: BSL-1.0
file(APPEND ${copy}/SECURITY.md "\nIts lease is over.\n")
expect_violation("SECURITY.md:")
file(APPEND ${copy}/SECURITY.md "\nIts lease is over. See [lease](docs/glossary.md#lease).\n")
expect_violation("the first lease of a page is linked to the glossary")
file(APPEND ${copy}/SECURITY.md "\nIts leases are over. See [lease](docs/glossary.md#dwell).\n")
expect_violation("the first lease of a page is linked to the glossary")

file(APPEND ${copy}/SECURITY.md "\nIts [lease](docs/glossary.md#lease) is over. No lease is for ever.\n")
expect_clean("a linked word")
file(APPEND ${copy}/SECURITY.md "\n## The lease\n\nSet `lease`, or please release it.\n\n```cpp\nauto lease = 2s;\n```\n")
expect_clean("a heading, code, and other words")

file(WRITE ${copy}/build/README.md "Its lease is over.\n")
expect_clean("a page of a build")

file(READ ${copy}/docs/glossary.md text)
string(REPLACE "\n### Era\n" "\n### Age\n" text "${text}")
file(WRITE ${copy}/docs/glossary.md "${text}")
expect_violation("docs/glossary.md:1: does not explain era")

file(REMOVE ${copy}/docs/glossary.md)
expect_violation("docs/glossary.md:1: there is no glossary")
