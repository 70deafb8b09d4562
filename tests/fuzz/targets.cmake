# SPDX-License-Identifier: BSL-1.0

# A target is a file here. `file(WRITE)`: what tests/fuzz/run reads.
set(names ${CMAKE_CURRENT_BINARY_DIR}/targets)
set(planted_names ${CMAKE_CURRENT_BINARY_DIR}/planted)
file(WRITE ${names} "")
file(WRITE ${planted_names} "")

function(add_fuzz_program name target)
  add_executable(${name} EXCLUDE_FROM_ALL ${target}.cpp)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE ${libraries_of_${target}})
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
endfunction()

function(add_fuzz_target target)
  set(libraries_of_${target} ${ARGN} PARENT_SCOPE)
  set(libraries_of_${target} ${ARGN})
  add_fuzz_program(brownout_fuzz_${target} ${target})
  file(APPEND ${names} "${target}\n")
endfunction()

# A target with a defect: in a copy of FILE, TO stands in place of FROM. The copy is found before FILE. SOURCES: sources of
# the example server that must be compiled again, since they include it.
function(plant name)
  cmake_parse_arguments(PARSE_ARGV 1 the "" "TARGET;FILE;FROM;TO" "SOURCES") # a text may have a semicolon
  set(copies ${CMAKE_CURRENT_BINARY_DIR}/planted.d/${name})
  file(READ ${PROJECT_SOURCE_DIR}/${the_FILE} text)
  string(FIND "${text}" "${the_FROM}" found)
  if(found EQUAL -1)
    message(FATAL_ERROR "planted defect ${name}: ${the_FILE} has no: ${the_FROM}")
  endif()
  string(REPLACE "${the_FROM}" "${the_TO}" text "${text}")
  file(CONFIGURE OUTPUT ${copies}/${the_FILE} CONTENT "${text}" @ONLY) # leaves the date of one that is the same
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${the_FILE})

  set(program brownout_planted_${name})
  add_fuzz_program(${program} ${the_TARGET})
  target_include_directories(${program} BEFORE PRIVATE ${copies}/include ${copies}/examples/staging)
  if(the_FILE MATCHES "\\.cpp$")
    target_sources(${program} PRIVATE ${copies}/${the_FILE})
  endif()
  list(TRANSFORM the_SOURCES PREPEND ${PROJECT_SOURCE_DIR}/)
  target_sources(${program} PRIVATE ${the_SOURCES})
  # The library of the example server has the sound functions too. The first ones count.
  target_link_options(${program} PRIVATE -Wl,--allow-multiple-definition)
  file(APPEND ${planted_names} "${name} ${the_TARGET}\n")
endfunction()

foreach(target breaker levels limits prometheus quotas retry_after windows)
  add_fuzz_target(${target} brownout::brownout fmt::fmt-header-only)
endforeach()
foreach(target configuration log_line request_body request_head)
  add_fuzz_target(${target} brownout_staging spdlog::spdlog_header_only)
endforeach()
include(planted.cmake)
