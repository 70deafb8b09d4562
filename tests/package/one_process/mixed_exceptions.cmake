# SPDX-License-Identifier: BSL-1.0
# One program may be linked of objects with and without exceptions. Where there are exceptions a bad option throws one;
# where there are none it reaches the assertion handler, whichever object comes first.
include(${CMAKE_CURRENT_LIST_DIR}/one_process.cmake)

copy_headers(include)
compile(with_exceptions include)
compile(without_exceptions include -fno-exceptions -fno-rtti)
compile(asks_with_and_without include)
run_in_both_orders(asks_with_and_without with_exceptions without_exceptions)
