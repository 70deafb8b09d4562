# SPDX-License-Identifier: BSL-1.0
# Proves that manifest.cmake can fail. -DMANIFEST=<vcpkg.json> -DWORK=<directory>
cmake_minimum_required(VERSION 3.24)

file(READ ${MANIFEST} manifest)
set(planted 0)

function(expect_refusal from to expected)
  string(REPLACE "${from}" "${to}" text "${manifest}")
  if(text STREQUAL manifest)
    message(FATAL_ERROR "vcpkg.json does not hold: ${from}")
  endif()
  file(WRITE ${WORK}/vcpkg.json "${text}")
  execute_process(COMMAND ${CMAKE_COMMAND} -DMANIFEST=${WORK}/vcpkg.json -P ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/manifest.cmake
                  RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
  string(REGEX REPLACE "[ \n]+" " " said "${said}") # messages are wrapped anywhere
  string(FIND "${said}" "${expected}" at)
  if(status EQUAL 0 OR at EQUAL -1)
    message(FATAL_ERROR "not noticed: '${to}' instead of '${from}'; expected: ${expected}\n${said}")
  endif()
  math(EXPR planted "${planted} + 1")
  set(planted ${planted} PARENT_SCOPE)
endfunction()

expect_refusal("\"license\"" "\"licence\"" "a member that is not allowed: licence")
expect_refusal("\"name\": \"brownout\"" "\"name\": \"Brownout\"" "no name of a port or feature: Brownout")
expect_refusal("\"version-semver\": \"0" "\"version-semver\": \"v0" "no semantic version: v0")
expect_refusal("\"version-semver\": \"0.1.0\"" "\"version-semver\": 1" "no STRING: version-semver")
expect_refusal("\"host\": true" "\"host\": \"true\"" "no BOOLEAN: dependencies 0 host")
expect_refusal("\"host\": true" "\"guest\": true" "a member that is not allowed: dependencies 0 guest")
expect_refusal("\"boost-asio\"" "\"boost_asio\"" "no name of a port or feature: boost_asio")
expect_refusal("\"asio\": {" "\"core\": {" "no name of a port or feature: core")
message(STATUS "${planted} planted mistakes found")
