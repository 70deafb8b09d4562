# SPDX-License-Identifier: BSL-1.0
plant_header(core/planted.hpp "inline int* nothing() { return 0; }")
expect_violation("include/brownout/core/planted.hpp:3: use nullptr")

plant_header(core/planted.hpp "#include <string>\ninline auto length(std::string text) { return text.size(); }")
expect_violation("include/brownout/core/planted.hpp:4: the parameter 'text' is copied")
