# SPDX-License-Identifier: BSL-1.0
# A dependency provider: a build of the project decides where find_package(brownout) leads, here to a checkout.
macro(provide_brownout method name)
  if("${name}" STREQUAL "brownout")
    add_subdirectory(${BROWNOUT_SOURCE} brownout)
    set(brownout_FOUND TRUE)
  endif()
endmacro()
cmake_language(SET_DEPENDENCY_PROVIDER provide_brownout SUPPORTED_METHODS FIND_PACKAGE)
