# SPDX-License-Identifier: BSL-1.0
file(WRITE ${copy}/include/brownout/core/planted.hpp "#pragma once\n")
expect_violation("core/planted.hpp:1: the first line is not // SPDX-License-Identifier: BSL-1.0")

file(WRITE ${copy}/include/brownout/core/planted.hpp "\n// SPDX-License-Identifier: BSL-1.0\n#pragma once\n")
expect_violation("core/planted.hpp:1: the first line is not // SPDX-License-Identifier: BSL-1.0")

file(WRITE ${copy}/include/brownout/core/planted.hpp "// SPDX-License-Identifier: BSL-1.0\n// #pragma once\n")
expect_violation("core/planted.hpp:2: there is no #pragma once")

file(APPEND ${copy}/include/brownout/core/clock.hpp "// 10 µs\n")
expect_violation("not ASCII")

plant_header(core/planted.hpp "///     f();  // a comment that is\n///     long\n#define BROWNOUT_PLANTED")
expect_violation("a comment in an example goes on where code should stand")
plant_header(core/planted.hpp "///     f();  // a comment\n///     g();\n#define BROWNOUT_PLANTED")
expect_clean("an example")

set(versioned "the namespace is opened as brownout::inline BROWNOUT_ABI")
set(opens "namespace brownout::inline BROWNOUT_ABI {\n}\n")
foreach(plain "namespace brownout {" "namespace brownout::detail {" "namespace brownout::detail{")
  plant_header(core/planted.hpp "${opens}${plain}\n}")
  expect_violation("core/planted.hpp:5: ${versioned}")
endforeach()
plant_header(core/planted.hpp "inline int planted;")
expect_violation("core/planted.hpp:1: it declares something outside brownout::inline BROWNOUT_ABI")
plant_header(core/planted.hpp "#define BROWNOUT_PLANTED(x) \\\n  (x)\n// namespace brownout {")
expect_clean("macros alone")
plant_header(core/planted.hpp "namespace brownout::inline BROWNOUT_ABI::detail {\n}\n#define BROWNOUT_PLANTED")
expect_clean("a nested namespace")

set(one_compiler "core/planted.hpp:5: for one compiler: use a macro of core/detail/compiler.hpp, or add one there")
foreach(spelling "[[gnu::noinline]] void f()" "[[no_unique_address]] int x" "[[clang::noinline]] void f()"
                 "inline int x = __builtin_clz(1)" "__attribute__((cold)) void f()" "__declspec(noinline) void f()")
  plant_header(core/planted.hpp "${opens}${spelling}")
  expect_violation("${one_compiler}")
endforeach()

string(REPEAT "//\n" 347 body) # and the two lines before it, and one newline after it: 350
plant_header(core/planted.hpp "${body}")
expect_clean("350 lines")
string(REPEAT "//\n" 348 body)
plant_header(core/planted.hpp "${body}")
expect_violation("core/planted.hpp:351: 351 lines; a header has 350 at most")

file(WRITE ${copy}/include/brownout/core/planted.h "")
expect_violation("core/planted.h:1: only headers (.hpp) live here")
