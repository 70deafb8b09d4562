# SPDX-License-Identifier: BSL-1.0
# Proves that --check can fail: -DPROGRAM=<brownout_benchmarks_planted> -DWORK=<directory>
cmake_minimum_required(VERSION 3.24)

file(WRITE ${WORK}/given
     "fine\tinstructions gcc\t10\nfine\tinstructions clang\t10\nlong-winded\tinstructions any\t10.5\n"
     "verbose\tinstructions gcc\t16\nverbose\tinstructions clang\t15\n")

function(expect status name text)
  execute_process(COMMAND ${PROGRAM} --check --rounds 10 --patience 10 --given ${WORK}/given --only ${name} ${ARGN}
                  RESULT_VARIABLE result OUTPUT_VARIABLE printed ERROR_VARIABLE printed)
  if(NOT result EQUAL status OR NOT printed MATCHES " ${text}\n$")
    message(FATAL_ERROR "${name}: expected status ${status} and ${text}, got ${result} and\n${printed}")
  endif()
endfunction()

expect(0 fine "met")
expect(1 slow "MISSED: ratio")
expect(1 allocating "MISSED: allocations")
expect(1 long-winded "MISSED: instructions")
expect(1 unmeasured "NOT MEASURED: ratio")
expect(1 fine "MISSED: surplus, gcc" --only verbose)
expect(1 verbose "NOT MEASURED: surplus, gcc, NOT MEASURED: surplus, clang")
cmake_host_system_information(RESULT processors QUERY NUMBER_OF_LOGICAL_CORES)
if(processors GREATER 1)
  expect(1 contended "MISSED: growth")
endif()
