# SPDX-License-Identifier: BSL-1.0
plant_header(core/planted.hpp "\nint  x\;")
expect_violation("core/planted.hpp:4: not formatted")

file(WRITE ${copy}/tests/unit/planted.test.cpp "void f()\n{\n}\n")
expect_violation("tests/unit/planted.test.cpp:1: not formatted")
