# SPDX-License-Identifier: BSL-1.0
set(ten "one two three four five six seven eight nine ten")

file(APPEND ${copy}/README.md "\n| a | b |\n|---|---|\n| x | ${ten} ${ten} ${ten} eleven |\n")
expect_violation("a cell of 31 words, more than 30")
file(APPEND ${copy}/docs/guide.md "\n| a | b |\n|---|---|\n| ${ten} ${ten} ${ten} eleven | x |\n")
expect_violation("a cell of 31 words, more than 30")
file(APPEND ${copy}/README.md "\n| a | b |\n|---|---|\n| ${ten} ${ten} ${ten} | ${ten} `one \\| two` |\n")
expect_clean("cells of 30 words and of 12")
file(APPEND ${copy}/README.md "\n```text\n| x | ${ten} ${ten} ${ten} eleven |\n```\n")
expect_clean("what is no table")
