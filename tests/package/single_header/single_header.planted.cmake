# SPDX-License-Identifier: BSL-1.0
# What cmake/single_header.cmake cannot do well it refuses, in clear words; and what it loses is noticed.
# -DSOURCE=<checkout> -DWORK=<directory>
include(${CMAKE_CURRENT_LIST_DIR}/common.cmake)

file(REMOVE_RECURSE ${WORK})
set(tree ${WORK}/tree)
set(seen 0)
file(COPY ${SOURCE}/include/brownout/version.hpp DESTINATION ${tree}/brownout)

# Runs the script for brownout/a.hpp with these texts of a.hpp and b.hpp.
function(run_script a b)
  file(WRITE ${tree}/brownout/a.hpp "${a}")
  file(WRITE ${tree}/brownout/b.hpp "${b}")
  execute_process(COMMAND ${CMAKE_COMMAND} -DROOT=${tree} -DCONTENTS=brownout/a.hpp -DOUTPUT=${WORK}/single.hpp ${ARGN}
                          -P ${SOURCE}/cmake/single_header.cmake
                  RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
  string(REGEX REPLACE "[ \n]+" " " said "${said}") # messages are wrapped anywhere
  set(status ${status} PARENT_SCOPE)
  set(said "${said}" PARENT_SCOPE)
endfunction()

function(expect_refusal expected a b)
  run_script("${a}" "${b}" ${ARGN})
  string(FIND "${said}" "single_header: ${expected}" at)
  if(status EQUAL 0 OR at EQUAL -1)
    message(FATAL_ERROR "not refused: '${a}', '${b}'; expected: ${expected}\n${said}")
  endif()
  math(EXPR seen "${seen} + 1")
  set(seen ${seen} PARENT_SCOPE)
endfunction()

set(once "#pragma once\n")
expect_refusal("OUTPUT is a directory" "${once}int a();\n" "${once}int b();\n" -DOUTPUT=${WORK})
expect_refusal("a cycle of includes: CONTENTS -> brownout/a.hpp -> brownout/b.hpp -> brownout/a.hpp"
               "${once}#include \"brownout/b.hpp\"\nint a();\n" "${once}#include \"brownout/a.hpp\"\nint b();\n")
expect_refusal("brownout/b.hpp: an include under #if cannot be moved: #include <vector>"
               "${once}#include \"brownout/b.hpp\"\n" "${once}#if defined(FAST)\nint b();\n#  include <vector>\n#endif\n")
expect_refusal("brownout/b.hpp has no #pragma once" "${once}#include \"brownout/b.hpp\"\n" "int b();\n")
expect_refusal("brownout/none.hpp, which brownout/b.hpp includes, is not in"
               "${once}#include \"brownout/b.hpp\"\n" "${once}#include \"brownout/none.hpp\"\n")
expect_refusal("brownout/a.hpp: neither" "${once}#include WHATEVER\n" "${once}")
expect_refusal("-DOUTPUT=… is missing" "${once}" "${once}" -DOUTPUT=)

# The last lines of a header may include the bodies of its functions. An include after #endif is not under it.
run_script("${once}#if 1\nint a();\n#endif\n#include \"brownout/version.hpp\"\nint c();\n\n#include \"brownout/b.hpp\"\n"
           "${once}#include \"brownout/a.hpp\"\nint b();\n")
file(READ ${WORK}/single.hpp text)
if(NOT status EQUAL 0 OR NOT text MATCHES "int a\\(\\);.*define BROWNOUT_ABI.*int c\\(\\);.*int b\\(\\);")
  message(FATAL_ERROR "refused, or in another order: an include that ends a header\n${said}\n${text}")
endif()

# find_lost_text notices a comment that is missing.
set(single ${WORK}/core.hpp)
generate(core ${single})
file(READ ${single} text)
string(REPLACE "\n// Said before the many errors that follow.\n" "\n" less "${text}")
file(WRITE ${single} "${less}")
find_lost_text(${single} lost)
if(NOT lost MATCHES "^brownout/version.hpp:\n")
  message(FATAL_ERROR "a comment of version.hpp is missing, and what is found lost is '${lost}'")
endif()
message(STATUS "${seen} kinds of headers are refused, and a lost comment is noticed")
