# SPDX-License-Identifier: BSL-1.0
file(WRITE ${copy}/include/brownout/core/planted.hpp "#pragma once\n")
expect_violation("core/planted.hpp:1: the first line is not // SPDX-License-Identifier: BSL-1.0")

file(WRITE ${copy}/include/brownout/core/planted.hpp "\n// SPDX-License-Identifier: BSL-1.0\n#pragma once\n")
expect_violation("core/planted.hpp:1: the first line is not // SPDX-License-Identifier: BSL-1.0")

file(WRITE ${copy}/include/brownout/core/planted.hpp "// SPDX-License-Identifier: BSL-1.0\n// #pragma once\n")
expect_violation("core/planted.hpp:2: there is no #pragma once")

string(REPEAT "//\n" 347 body) # and the two lines before it, and one newline after it: 350
plant_header(core/planted.hpp "${body}")
expect_clean("350 lines")
string(REPEAT "//\n" 348 body)
plant_header(core/planted.hpp "${body}")
expect_violation("core/planted.hpp:351: 351 lines; a header has 350 at most")

file(WRITE ${copy}/include/brownout/core/planted.h "")
expect_violation("core/planted.h:1: only headers (.hpp) live here")
