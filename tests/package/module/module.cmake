# SPDX-License-Identifier: BSL-1.0
# Builds the module and programs that import it. -DSOURCE=<checkout> -DWORK=<directory> -DHOW=<one of these>:
#
#     precompiled       Clang itself, as any build tool may call it; also beside headers that are included
#     subdirectory      CMake, with brownout as a part of the project
#     find_package      CMake, with the installation PREFIX
#
# It needs a Clang that can build it, and the last two a CMake: what is missing is SKIPPED, and said.
cmake_minimum_required(VERSION 3.24)

if(NOT HOW STREQUAL "precompiled" AND CMAKE_VERSION VERSION_LESS 3.28)
  message("SKIPPED: CMake builds modules from version 3.28 on, this is ${CMAKE_VERSION}")
  return()
endif()

# Clang 19 first, which is the one that was tried.
function(is_new_enough result program)
  execute_process(COMMAND ${program} -dumpversion OUTPUT_VARIABLE version)
  if(version VERSION_LESS 17)
    set(${result} FALSE PARENT_SCOPE)
  endif()
endfunction()
find_program(clang NAMES clang++-19 clang++-20 clang++-21 clang++-18 clang++-17 clang++ VALIDATOR is_new_enough)
if(NOT clang)
  message("SKIPPED: needs Clang 17 or later")
  return()
endif()

file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})

if(HOW STREQUAL "precompiled")
  set(compile ${clang} -std=c++20 -pthread)
  function(run)
    execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${WORK} COMMAND_ERROR_IS_FATAL ANY)
  endfunction()
  run(${compile} -I${SOURCE}/include --precompile ${SOURCE}/cmake/module/brownout.cppm -o brownout.pcm)
  run(${compile} -c brownout.pcm -o module.o)
  foreach(beside "" INCLUDED_BEFORE INCLUDED_AFTER)
    set(headers)
    if(beside)
      set(headers -D${beside} -I${SOURCE}/include)
    endif()
    run(${compile} ${headers} -fmodule-file=brownout=brownout.pcm ${CMAKE_CURRENT_LIST_DIR}/imported.cpp module.o
        -o imported)
    run(${WORK}/imported)
  endforeach()
  return()
endif()

# What finds the imports of a source, of the same version. CMake would look for it, but says less if there is none.
string(REGEX REPLACE "^.*clang\\+\\+" "clang-scan-deps" scanner ${clang})
find_program(scan_deps NAMES ${scanner})
find_program(ninja NAMES ninja)
if(NOT scan_deps OR NOT ninja)
  message("SKIPPED: needs Ninja and ${scanner}, which is in the package clang-tools of a distribution")
  return()
endif()
set(where -DCMAKE_PREFIX_PATH=${PREFIX})
if(HOW STREQUAL "subdirectory")
  set(where -DBROWNOUT_SOURCE=${SOURCE})
endif()
execute_process(COMMAND ${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR} -B ${WORK} -G Ninja -DCMAKE_CXX_COMPILER=${clang}
                        -DCMAKE_CXX_COMPILER_CLANG_SCAN_DEPS=${scan_deps} ${where}
                OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${WORK} --parallel 2 OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${WORK}/imported COMMAND_ERROR_IS_FATAL ANY)
