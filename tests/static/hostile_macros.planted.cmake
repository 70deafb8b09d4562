# SPDX-License-Identifier: BSL-1.0
set(rule "a macro of another library has its way with this line")
set(opens "#include <algorithm>\nnamespace brownout::inline BROWNOUT_ABI {\n")

plant_header(core/planted.hpp "${opens}inline int f(int a, int b) { return std::min(a, b); }\n}")
expect_violation("core/planted.hpp:5: ${rule}")
plant_header(core/planted.hpp "${opens}inline int f(int a, int b) { return (std::min)(a, b); }\n}")
expect_clean("a call that is no macro's")
plant_header(core/planted.hpp "${opens}template <class T>\nvoid f(T check) {\n  check();\n}\n}")
expect_violation("core/planted.hpp:7: ${rule}")
foreach(name signals check near linux)
  plant_header(core/planted.hpp "${opens}inline bool ${name}(bool value) { return value; }\n}")
  expect_violation("core/planted.hpp:5: ${rule}")
endforeach()
