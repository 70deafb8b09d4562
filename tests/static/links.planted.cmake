# SPDX-License-Identifier: BSL-1.0
file(APPEND ${copy}/README.md "\nSee [the guide](docs/guides.md).\n")
expect_violation("leads to no file: docs/guides.md")

file(APPEND ${copy}/docs/guide.md "\nSee [semantics](docs/semantics.md).\n")
expect_violation("leads to no file: docs/semantics.md")

file(APPEND ${copy}/docs/adr/0001-deadlines-of-a-circuit.md "\nSee [the guide](../guide.md) and ![a plot](plot.svg).\n")
expect_violation("leads to no file: plot.svg")

file(APPEND ${copy}/README.md "\nSee [the host](../README.md).\n")
expect_violation("leads to no file: ../README.md")

file(APPEND ${copy}/README.md "\nSee [the root](/docs/guide.md).\n")
expect_violation("leads to no file: /docs/guide.md")

file(APPEND ${copy}/docs/guide.md "\nSee [above](#no-such-heading).\n")
expect_violation("leads to no heading: #no-such-heading")

file(APPEND ${copy}/README.md "\nSee [the guide](docs/guide.md#no-such-heading).\n")
expect_violation("leads to no heading: docs/guide.md#no-such-heading")

# A heading's name is that of its text, and what only looks like a heading is none.
file(APPEND ${copy}/docs/guide.md "\n## `call`, or: a *Name_of_it*?\n\nSee [here](#call-or-a-name_of_it).\n")
expect_clean("code and punctuation in a heading")
file(APPEND ${copy}/docs/guide.md "\n```sh\n# no heading\n```\n\nSee [here](#no-heading).\n")
expect_violation("leads to no heading: #no-heading")

file(APPEND ${copy}/docs/guide.md "\n## Twice\n\n## Twice\n\nSee [here](#twice), [here](#twice-1).\n")
expect_clean("the second of two equal headings")
file(APPEND ${copy}/docs/guide.md "\n## Twice\n\n## Twice\n\nSee [here](#twice-2).\n")
expect_violation("leads to no heading: #twice-2")

file(APPEND ${copy}/README.md "\nSee [this](LICENSE#why).\n")
expect_violation("an anchor in what is no page: LICENSE#why")

file(APPEND ${copy}/README.md "\nSee [this](docs/guide.md \"The guide\").\n")
expect_violation("the target of a link is a path, without a title")

file(APPEND ${copy}/README.md "\n[guide]: docs/guide.md\n")
expect_violation("a link stands where it is read: [text](target)")

file(APPEND ${copy}/README.md "\n```sh\n./examples/staging/run\n")
expect_violation("a block that does not end")

file(APPEND ${copy}/README.md "\n```cpp\nauto x = [](int) {};\n```\nCode such as `[](auto) {}` is no link, [this](https://example.org/) is not ours.\n")
expect_clean("code, and addresses of the web")

file(APPEND ${copy}/examples/01_one_breaker.cpp "// Why: docs/adr/0006, and docs/guide.md.\n")
expect_clean("pages that code names")
file(APPEND ${copy}/examples/01_one_breaker.cpp "// Why: docs/adr/0999.\n")
expect_violation("names no page: docs/adr/0999")
