# SPDX-License-Identifier: BSL-1.0
# Proves that the build of the site can fail: -DROOT=<project> -DWORK=<directory>. A site of one header and a few pages is
# built, then again with one defect at a time.
cmake_minimum_required(VERSION 3.24)

set(tree ${WORK}/tree)

function(make_tree)
  file(REMOVE_RECURSE ${tree})
  foreach(header version.hpp core/outcome.hpp)
    configure_file(${ROOT}/include/brownout/${header} ${tree}/include/brownout/${header} COPYONLY)
  endforeach()
  configure_file(${ROOT}/include/CMakeLists.txt ${tree}/include/CMakeLists.txt COPYONLY)
  configure_file(${ROOT}/examples/01_one_breaker.cpp ${tree}/examples/01_one_breaker.cpp COPYONLY)
  file(MAKE_DIRECTORY ${tree}/docs/images ${tree}/docs/studies/plots ${tree}/examples/recipes)
  file(COPY ${ROOT}/docs/site DESTINATION ${tree}/docs PATTERN "*.md" EXCLUDE)
  file(WRITE ${tree}/README.md "# A site\n\nSee [the rooms](docs/architecture.md#rooms).\n")
  file(WRITE ${tree}/docs/architecture.md
       "# Architecture\n\n## Rooms\n\n| room | its question |\n|---|---|\n"
       "| [`core`](../include/brownout/core) | What words are there? |\n\n[One](../examples/01_one_breaker.cpp).\n")
  file(WRITE ${tree}/docs/site/index.md
       "\n```{toctree}\ndocs/architecture\nreference/index\nsource/examples/index\n```\n")
endfunction()

function(build status output)
  execute_process(COMMAND ${tree}/docs/site/build RESULT_VARIABLE result OUTPUT_VARIABLE out ERROR_VARIABLE err)
  if(result EQUAL 77)
    message(FATAL_ERROR "SKIPPED: ${err}")
  endif()
  set(${status} ${result} PARENT_SCOPE)
  set(${output} "${out}${err}" PARENT_SCOPE)
endfunction()

# The build must now fail for this reason; the tree is fresh again.
function(expect_failure expected)
  build(status output)
  string(FIND "${output}" "${expected}" at)
  if(NOT status EQUAL 1 OR at EQUAL -1)
    message(FATAL_ERROR "ended with ${status}; expected: ${expected}\n${output}")
  endif()
  make_tree()
endfunction()

make_tree()
build(status output)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "the site without a defect is not built: ${output}")
endif()
foreach(page index docs/architecture reference/core/outcome source/examples/01_one_breaker.cpp)
  if(NOT EXISTS ${tree}/build/site/html/${page}.html)
    message(FATAL_ERROR "the site has no page ${page}.html")
  endif()
endforeach()

set(header ${tree}/include/brownout/core/planted.hpp)
file(WRITE ${header} "#pragma once\nnamespace brownout {\n/// A class.\nstruct planted {\n  int bare = 0;\n};\n}\n")
expect_failure("Member bare (variable) of struct brownout::planted is not documented")

file(WRITE ${header} "#pragma once\nnamespace brownout {\nvoid planted();\n}\n")
expect_failure("planted() (function) of namespace brownout is not documented")

file(WRITE ${header} "#pragma once\n")
expect_failure("include/brownout/core/planted.hpp: a public header without a page")

file(WRITE ${tree}/include/brownout/attic/planted.hpp
     "#pragma once\nnamespace brownout {\n/// A class.\nstruct planted {};\n}\n")
expect_failure("attic/planted.hpp: docs/architecture.md has no question of the room attic")

file(APPEND ${tree}/README.md "\nSee [nothing](docs/nothing.md).\n")
expect_failure("docs/nothing.md")

file(APPEND ${tree}/README.md "\nSee [nothing](docs/architecture.md#nothing).\n")
expect_failure("docs/architecture.md#nothing")

file(APPEND ${tree}/README.md "\nSee [nothing](examples/nothing.cpp).\n")
expect_failure("examples/nothing.cpp")
