# SPDX-License-Identifier: BSL-1.0
# Proves that copies.cmake can fail: in a copy of the checkout one statement at a time is changed.
# -DSOURCE=<checkout> -DWORK=<directory>
cmake_minimum_required(VERSION 3.24)

file(REMOVE_RECURSE ${WORK})
file(COPY ${SOURCE}/include ${SOURCE}/cmake ${SOURCE}/CMakeLists.txt ${SOURCE}/CHANGELOG.md ${SOURCE}/README.md DESTINATION ${WORK})
file(COPY ${SOURCE}/docs/CITATION.cff DESTINATION ${WORK}/docs)
set(planted 0)

function(expect_refusal file from to expected)
  file(READ ${SOURCE}/${file} before)
  string(REPLACE "${from}" "${to}" text "${before}")
  if(text STREQUAL before)
    message(FATAL_ERROR "${file} does not hold: ${from}")
  endif()
  file(WRITE ${WORK}/${file} "${text}")
  execute_process(COMMAND ${CMAKE_COMMAND} -DSOURCE=${WORK} -P ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/copies.cmake
                  RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
  string(REGEX REPLACE "[ \n]+" " " said "${said}") # messages are wrapped anywhere
  string(FIND "${said}" "${expected}" at)
  if(status EQUAL 0 OR at EQUAL -1)
    message(FATAL_ERROR "not noticed: ${file} with '${to}' instead of '${from}'; expected: ${expected}\n${said}")
  endif()
  file(WRITE ${WORK}/${file} "${before}")
  math(EXPR planted "${planted} + 1")
  set(planted ${planted} PARENT_SCOPE)
endfunction()

set(vcpkg cmake/packaging/vcpkg)
expect_refusal(include/brownout/version.hpp "MINOR 1" "MINOR 2" "vcpkg.json: '0.1.0', and brownout says '0.2.0'")
expect_refusal(CMakeLists.txt "DESCRIPTION \"" "DESCRIPTION \"It " "and brownout says 'It Keeps services")
expect_refusal(CMakeLists.txt "Boost 1.81 " "Boost 1.82 " "'1.81', and brownout says '1.82'")
expect_refusal(CMakeLists.txt "option(BROWNOUT_BUILD_TESTS " "option(BROWNOUT_TESTS " "has no option BROWNOUT_BUILD_TESTS")
expect_refusal(${vcpkg}/vcpkg.json "\"boost-asio\"" "\"boost-beast\"" "the feature asio needs [ \"boost-beast\"")
expect_refusal(cmake/packaging/meson/meson.build "version: '0.1.0'" "version: '0.1.1'" "meson.build: '0.1.1', and brownout says '0.1.0'")
expect_refusal(cmake/packaging/meson/meson.build ">=1.81" ">=1.80" "meson.build: '1.80', and brownout says '1.81'")
expect_refusal(cmake/packaging/brownout-asio.pc.in "Boost 1.81" "Boost 1.80" "asio.pc.in: '1.80', and brownout says '1.81'")
expect_refusal(CHANGELOG.md "\n## 0.1.0 " "\n## 0.1.1 " "CHANGELOG.md: '0.1.1', and brownout says '0.1.0'")
expect_refusal(README.md "version 0.1.0 " "version 0.3.0 " "README.md: '0.3.0', and brownout says '0.1.0'")
expect_refusal(docs/CITATION.cff "version: 0.1.0" "version: 0.0.9" "CITATION.cff: '0.0.9', and brownout says '0.1.0'")
message(STATUS "${planted} planted differences found")
