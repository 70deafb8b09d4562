# SPDX-License-Identifier: BSL-1.0
# Adds the target brownout::module, or sets brownout_no_module to the reason why it cannot. brownout's own CMakeLists.txt
# includes this file, and so does the package that is installed: a project compiles the module itself, because a
# compiled module fits one compiler with one set of options.
set(brownout_no_module "")
if(CMAKE_VERSION VERSION_LESS 3.28)
  set(brownout_no_module "CMake 3.28 or later: this is CMake ${CMAKE_VERSION}")
elseif((CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 17)
       OR (CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 15)
       OR NOT CMAKE_CXX_COMPILER_ID MATCHES "^(Clang|GNU|MSVC)$")
  set(brownout_no_module
      "Clang 17, GCC 15, MSVC or later: this is ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}")
elseif(NOT CMAKE_GENERATOR MATCHES "Ninja|Visual Studio")
  set(brownout_no_module "the generator Ninja or Visual Studio: this is ${CMAKE_GENERATOR}")
else()
  add_library(brownout_module STATIC)
  add_library(brownout::module ALIAS brownout_module)
  target_sources(brownout_module PUBLIC FILE_SET CXX_MODULES BASE_DIRS ${CMAKE_CURRENT_LIST_DIR}
                                        FILES ${CMAKE_CURRENT_LIST_DIR}/brownout.cppm)
  target_link_libraries(brownout_module PUBLIC brownout::brownout)
  set_target_properties(brownout_module PROPERTIES POSITION_INDEPENDENT_CODE ON) # a shared library may import it
endif()
