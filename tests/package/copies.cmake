# SPDX-License-Identifier: BSL-1.0
# The files of package managers repeat what CMakeLists.txt and version.hpp say: version, description, licence, options and
# dependencies. So do the changelog and the citation. Here is where a copy is found that says something else.
# -DSOURCE=<checkout>
cmake_minimum_required(VERSION 3.24)

set(packaging cmake/packaging)
set(wrong "")

# The part in brackets of a text that a file must hold.
function(read_part file pattern out)
  file(READ ${SOURCE}/${file} text)
  if(NOT text MATCHES "${pattern}")
    message(FATAL_ERROR "${file} does not hold: ${pattern}")
  endif()
  set(${out} "${CMAKE_MATCH_1}" PARENT_SCOPE)
endfunction()

function(expect_part file pattern expected)
  read_part(${file} "${pattern}" part)
  if(NOT part STREQUAL expected)
    set(wrong "${wrong}${file}: '${part}', and brownout says '${expected}'\n" PARENT_SCOPE)
  endif()
endfunction()

file(STRINGS ${SOURCE}/include/brownout/version.hpp version REGEX "^#define BROWNOUT_VERSION_")
string(REGEX REPLACE ".*MAJOR ([0-9]+).*MINOR ([0-9]+).*PATCH ([0-9]+).*" "\\1.\\2.\\3" version "${version}")
read_part(CMakeLists.txt "DESCRIPTION \"([^\"]*)\"" description)
read_part(CMakeLists.txt "find_package\\(Boost ([0-9.]+) " boost)
read_part(include/brownout/version.hpp "^// SPDX-License-Identifier: ([^\n]*)" license)

expect_part(CHANGELOG.md "\n## ([0-9.]+) " "${version}") # the first heading
expect_part(README.md "It is version ([0-9.]+[0-9])" "${version}")
expect_part(docs/CITATION.cff "\nversion: ([^\n]*)" "${version}")
expect_part(docs/CITATION.cff "\nlicense: ([^\n]*)" "${license}")

# Before 1.0 find_package takes one minor version: whoever asks for another finds nothing.
string(REGEX MATCH "^[0-9]+\\.[0-9]+" minor "${version}")
foreach(file README.md docs/guide.md cmake/brownout-config.cmake.in cmake/install.cmake .github/workflows/package.yml)
  file(READ ${SOURCE}/${file} text)
  string(REGEX MATCHALL "(find_package\\(brownout|find_dependency\\(brownout|FIND_PACKAGE_ARGS|REQUEST=) ?[0-9]+\\.[0-9]+" requests "${text}")
  if(requests STREQUAL "")
    message(FATAL_ERROR "${file} asks for no version")
  endif()
  foreach(request IN LISTS requests)
    if(NOT request MATCHES "[^0-9.]${minor}$")
      string(REGEX REPLACE "^.*\\(" "" request "${request}")
      string(APPEND wrong "${file} asks for ${request}, and brownout is ${minor}\n")
    endif()
  endforeach()
endforeach()

set(vcpkg ${packaging}/vcpkg/vcpkg.json)
expect_part(${vcpkg} "\"version-semver\": \"([^\"]*)\"" "${version}")
expect_part(${vcpkg} "\"description\": \"([^\"]*)\"" "${description}")
expect_part(${vcpkg} "\"license\": \"([^\"]*)\"" "${license}")

set(conan ${packaging}/conan/conanfile.py)
expect_part(${conan} "\n    description = \"([^\"]*)\"" "${description}")
expect_part(${conan} "\n    license = \"([^\"]*)\"" "${license}")
expect_part(${conan} "\"boost/\\[>=([0-9.]+) " "${boost}")

set(meson ${packaging}/meson/meson.build)
expect_part(${meson} "version: '([^']*)', license" "${version}")
expect_part(${meson} "license: '([^']*)'" "${license}")
expect_part(${meson} "dependency\\('boost', version: '>=([0-9.]+)'" "${boost}")
expect_part(${packaging}/brownout-asio.pc.in "Boost ([0-9.]+) " "${boost}")

expect_part(cmake/brownout-config.cmake.in "Boost::headers Boost ([0-9.]+) " "${boost}")

# vcpkg has a port for each library of Boost: one for each whose headers are included.
file(GLOB_RECURSE headers ${SOURCE}/include/*.hpp)
set(ports boost-headers) # which has the target Boost::headers
foreach(header IN LISTS headers)
  file(STRINGS ${header} includes REGEX "^#include <boost/")
  foreach(include IN LISTS includes)
    string(REGEX REPLACE "^#include <boost/([a-z_]+).*" "boost-\\1" port ${include})
    string(REPLACE "_" "-" port ${port})
    list(APPEND ports ${port})
  endforeach()
endforeach()
list(REMOVE_DUPLICATES ports)
list(SORT ports)
list(JOIN ports "\", \"" ports)
file(READ ${SOURCE}/${vcpkg} json)
string(JSON dependencies GET "${json}" features asio dependencies)
string(REGEX REPLACE "[ \n]+" " " dependencies "${dependencies}")
if(NOT dependencies STREQUAL "[ \"${ports}\" ]")
  string(APPEND wrong "${vcpkg}: the feature asio needs ${dependencies}, and brownout needs \"${ports}\"\n")
endif()

# Every option that a port or recipe gives is one of brownout.
foreach(file ${packaging}/vcpkg/portfile.cmake)
  file(READ ${SOURCE}/${file} text)
  file(READ ${SOURCE}/CMakeLists.txt options)
  string(REGEX MATCHALL "BROWNOUT_[A-Z_]+" given "${text}")
  foreach(option IN LISTS given)
    if(NOT options MATCHES "\noption\\(${option} ")
      string(APPEND wrong "${file}: CMakeLists.txt has no option ${option}\n")
    endif()
  endforeach()
endforeach()

if(NOT wrong STREQUAL "")
  message(FATAL_ERROR "${wrong}")
endif()
message(STATUS "what package managers are told is what CMakeLists.txt and version.hpp say: ${version}, Boost ${boost}")
