# SPDX-License-Identifier: BSL-1.0
# What the two checks of this directory share: they build objects from different headers or with different flags, and
# run one program of them for each order of linking. -DSOURCE=<checkout> -DWORK=<directory> -DCOMPILER=<path>
#
# -DPLANTED=<anything> takes the versioned name out of the headers, and then a program must fail: it proves the check.
cmake_minimum_required(VERSION 3.24)

set(flags -std=c++20 -O0 -pthread) # -O0: inline functions stay functions that a linker can merge
file(REMOVE_RECURSE ${WORK})

# Replaces a text of a copied header that must be there.
function(edit file pattern replacement)
  file(READ ${file} before)
  string(REGEX REPLACE "${pattern}" "${replacement}" after "${before}")
  if(after STREQUAL before)
    message(FATAL_ERROR "this check changes what ${file} no longer says: ${pattern}")
  endif()
  file(WRITE ${file} "${after}")
endfunction()

# A copy of the headers, in ${WORK}/<name>.
function(copy_headers name)
  file(COPY ${SOURCE}/include/brownout DESTINATION ${WORK}/${name})
  if(NOT "${PLANTED}" STREQUAL "")
    edit(${WORK}/${name}/brownout/version.hpp "#define BROWNOUT_ABI [^\n]+" "#define BROWNOUT_ABI unversioned")
  endif()
endfunction()

function(compile name headers)
  execute_process(COMMAND ${COMPILER} ${flags} ${ARGN} -I${WORK}/${headers} -c
                          ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/${name}.cpp -o ${WORK}/${name}.o
                  COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# Links and runs the program twice: each of the two objects comes first once.
function(run_in_both_orders main one other)
  set(failed "")
  foreach(order "${one} ${other}" "${other} ${one}")
    separate_arguments(objects UNIX_COMMAND "${order}")
    list(TRANSFORM objects PREPEND ${WORK}/)
    list(TRANSFORM objects APPEND .o)
    execute_process(COMMAND ${COMPILER} ${flags} ${objects} ${WORK}/${main}.o -o ${WORK}/program
                    COMMAND_ERROR_IS_FATAL ANY)
    execute_process(COMMAND ${WORK}/program RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
    if(NOT status EQUAL 0)
      string(APPEND failed "linked as ${order}: ${status}\n${said}")
    endif()
  endforeach()
  if("${PLANTED}" STREQUAL "" AND NOT failed STREQUAL "")
    message(FATAL_ERROR "${failed}")
  elseif(NOT "${PLANTED}" STREQUAL "" AND failed STREQUAL "")
    message(FATAL_ERROR "the program runs without the versioned name too: this check proves nothing")
  endif()
  message("${failed}")
endfunction()
