# SPDX-License-Identifier: BSL-1.0
set(module ${copy}/cmake/module/brownout.cppm)

function(replace_in_module from to)
  file(READ ${module} text)
  string(REPLACE "${from}" "${to}" text "${text}")
  file(WRITE ${module} "${text}")
endfunction()

replace_in_module("using brownout::bulkhead;\n" "")
expect_violation("brownout::bulkhead is public, but not exported")

replace_in_module("using brownout::bulkhead;\n" "using brownout::bulkhead;\nusing brownout::bulwark;\n")
expect_violation("brownout::bulwark is no public name")

replace_in_module("using brownout::presets::polly;\n" "")
expect_violation("brownout::presets::polly is public, but not exported")

set(header ${copy}/include/brownout/testing/manual_clock.hpp)
file(APPEND ${header} "namespace brownout::inline BROWNOUT_ABI::planted {}\n")
expect_violation("brownout::planted is public, but not exported")

file(APPEND ${header} "namespace brownout::inline BROWNOUT_ABI {\nbool operator!(const manual_clock&);\n}\n")
expect_violation("brownout::operator! is public, but not exported")

file(APPEND ${header} "namespace brownout::inline BROWNOUT_ABI::detail {\nstruct planted {};\n}\n")
expect_clean("an internal name")
