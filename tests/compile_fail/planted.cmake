# SPDX-License-Identifier: BSL-1.0
# Proves that expect.cmake refuses what it has to: -DCOMPILER=<path> -DINCLUDE=<directory>[:<directory>...] -DWORK=<directory>
cmake_minimum_required(VERSION 3.24)

function(expect program verdict)
  file(WRITE ${WORK}/program.cpp "${program}")
  execute_process(COMMAND ${CMAKE_COMMAND} -DCOMPILER=${COMPILER} -DINCLUDE=${INCLUDE} -DPROGRAM=${WORK}/program.cpp
                          -P ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/expect.cmake
                  RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
  if(verdict STREQUAL "accepted")
    if(NOT status EQUAL 0)
      message(FATAL_ERROR "refused:\n${program}\n${said}")
    endif()
  elseif(status EQUAL 0)
    message(FATAL_ERROR "accepted:\n${program}")
  elseif(NOT said MATCHES "${verdict}")
    message(FATAL_ERROR "refused, but not with '${verdict}':\n${said}")
  endif()
endfunction()

set(mistake "#ifdef MISTAKE\nint x = nowhere;\n#endif\n")
expect("// must say: nowhere\n${mistake}" accepted)
expect("// must say: elsewhere\n${mistake}" "the compiler does not say 'elsewhere'")
expect("// must say: nowhere\n// must say: elsewhere\n${mistake}" "the compiler does not say 'elsewhere'")
expect("${mistake}" "the program has no line")
expect("// must say: nowhere\nint x = 1;\n" "the mistake compiles")
expect("// must say: nowhere\nint x = nowhere;\n" "does not compile even without the mistake")
file(REMOVE_RECURSE ${WORK})
