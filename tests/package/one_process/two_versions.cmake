# SPDX-License-Identifier: BSL-1.0
# A process may hold two versions of the library: a plug-in brings one, the program another. Each part keeps the inline
# functions of its own version. The newer version here allows what the older one refuses.
include(${CMAKE_CURRENT_LIST_DIR}/one_process.cmake)

copy_headers(older)
copy_headers(newer)
edit(${WORK}/newer/brownout/version.hpp "#define BROWNOUT_VERSION_MINOR [0-9]+" "#define BROWNOUT_VERSION_MINOR 999")
edit(${WORK}/newer/brownout/detector/consecutive_failures.hpp "(consecutive_failures\\.threshold\", threshold, )1," "\\10,")

compile(built_with_older older)
compile(built_with_newer newer)
compile(asks_both older)
run_in_both_orders(asks_both built_with_older built_with_newer)
